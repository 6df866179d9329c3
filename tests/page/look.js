// SPDX-License-Identifier: MIT OR Apache-2.0
// What is wrong with how a page looks: lists of words for people, empty where nothing is.
(() => {
  const name = (it) =>
    `${it.tagName.toLowerCase()}${it.className ? '.' + it.className : ''} "${it.textContent.trim().slice(0, 40)}"`;
  const shown = (it) => it.checkVisibility() && it.getClientRects().length > 0;
  const all = () => [...document.body.querySelectorAll('*')].filter(shown);

  const unfold = () => document.querySelectorAll('details').forEach((it) => { it.open = true; });
  // Below this width the matrix has its guests below each other.
  const NARROW = 640;

  // What is wider than the window and cannot be reached by scrolling a part of the page.
  const layout = () => {
    unfold();
    const width = document.documentElement.clientWidth;
    const faults = [];
    if (document.documentElement.scrollWidth > width)
      faults.push(`the page is ${document.documentElement.scrollWidth} wide, the window ${width}`);
    for (const it of all()) {
      const { left, right } = it.getBoundingClientRect();
      const scrolls = it.parentElement.closest('.wide') && !(width < NARROW && it.closest('.matrix'));
      if (!scrolls && (left < 0 || right > width + 0.5))
        faults.push(`${name(it)} reaches from ${left} to ${right} of ${width}`);
      const style = getComputedStyle(it);
      if (style.overflowX === 'hidden' && it.textContent.trim() && it.scrollWidth > it.clientWidth + 1)
        faults.push(`${name(it)} is cut off`);
      if (it.textContent.trim() && parseFloat(style.fontSize) < 10)
        faults.push(`${name(it)} is written in ${style.fontSize}`);
    }
    return faults;
  };

  // Colours are [r, g, b, alpha], as the browser computed them.
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (top, below) =>
    [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const ground = (it) => {
    if (!it) return parse(getComputedStyle(document.documentElement).backgroundColor)[3]
      ? parse(getComputedStyle(document.documentElement).backgroundColor) : [255, 255, 255, 1];
    const own = parse(getComputedStyle(it).backgroundColor);
    return own[3] === 1 ? own : over(own, ground(it.parentElement));
  };
  // Relative luminance and contrast as WCAG 2.2 defines them.
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const least = (style) => {
    const size = parseFloat(style.fontSize);
    return size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
  };

  // What cannot be read: text by criterion 1.4.3, and by 1.4.11 what is drawn.
  const colours = () => {
    unfold();
    const faults = [];
    const check = (what, colour, below, wanted) => {
      const is = contrast(over(colour, below), below);
      if (is < wanted) faults.push(`${what}: contrast ${is.toFixed(2)} instead of ${wanted}`);
    };
    for (const it of all()) {
      const style = getComputedStyle(it);
      const text = [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
      if (text) check(name(it), parse(style.color), ground(it), least(style));
      const after = getComputedStyle(it, '::after');
      if (after.content !== 'none' && after.content !== 'normal')
        check(`${name(it)}::after`, parse(after.color), ground(it), least(after));
      if (it.matches('.bar, .limit, .time > span')) {
        const own = parse(style.backgroundColor);
        own[3] *= style.opacity;
        check(name(it), own, ground(it.parentElement), 3);
      }
    }
    return faults;
  };

  // Of the buttons of a choice, the Tab key stops at the chosen one.
  const stops = all().filter((it) => it.tabIndex >= 0 && (it.type !== 'radio' || it.checked));
  // What the keyboard is at: its place in the order of the document, and whether that can be seen.
  const focus = () => {
    const it = document.activeElement;
    const style = getComputedStyle(it);
    const { top, bottom } = it.getBoundingClientRect();
    const faults = [];
    if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2)
      faults.push(`${name(it)} does not show that it has the focus`);
    else if (contrast(parse(style.outlineColor), ground(it.parentElement)) < 3)
      faults.push(`${name(it)} has a pale outline`);
    if (bottom < 0 || top > innerHeight) faults.push(`${name(it)} has the focus out of sight`);
    const label = it.getAttribute('aria-label') || it.labels?.[0]?.textContent.trim() || it.textContent.trim();
    if (!label) faults.push(`${name(it)} has no name`);
    return { at: stops.indexOf(it), faults };
  };

  // Which runs are seen and which rows of the matrix, by how they came out.
  const seen = () => ['is-good', 'is-bad'].map((name) =>
    ['section', 'tr'].map((tag) => [...document.querySelectorAll(`${tag}.${name}`)].filter(shown).length));

  window.look = { layout, colours, stops: stops.length, focus, seen };
})();
