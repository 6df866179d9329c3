// SPDX-License-Identifier: MIT OR Apache-2.0
//! Colours for C: just enough of its tokens to tell comments, strings, numbers and keywords apart.

use maud::{Markup, html};

use guest::shown::visible;

/// Words of the language, and what the kernel's code uses like those.
const KEYWORDS: &str = " auto bool break case char const continue default do double else enum extern \
    false float for goto if inline int long NULL register restrict return short signed size_t sizeof \
    ssize_t static struct switch true typedef typeof union unsigned void volatile while u8 u16 u32 \
    u64 s8 s16 s32 s64 __always_inline __attribute__ __init __exit __iomem __percpu __rcu __user ";

/// Where the lines before left off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    in_comment: bool,
}

/// What a piece of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Comment,
    Text,
    Number,
    Keyword,
    Directive,
    Plain,
}

impl Kind {
    const fn class(self) -> Option<&'static str> {
        match self {
            Self::Comment => Some("c-comment"),
            Self::Text => Some("c-text"),
            Self::Number => Some("c-number"),
            Self::Keyword => Some("c-keyword"),
            Self::Directive => Some("c-directive"),
            Self::Plain => None,
        }
    }
}

impl State {
    /// The state at the first of these lines, which are a part of a file: a comment that ends
    /// before one begins has begun above them.
    pub(super) fn at_start_of(lines: &[String]) -> Self {
        let marks = lines.iter().flat_map(|line| {
            let ends = line.match_indices("*/").map(|(at, _)| (at, true));
            let begins = line.match_indices("/*").map(|(at, _)| (at, false));
            let mut marks: Vec<_> = ends.chain(begins).collect();
            marks.sort_unstable();
            marks.into_iter().map(|(_, is_end)| is_end)
        });
        Self { in_comment: marks.into_iter().next().unwrap_or(false) }
    }

    /// A line, in colours.
    pub(super) fn line(&mut self, line: &str) -> Markup {
        let pieces = self.pieces(line);
        html! {
            @for (kind, text) in pieces {
                @match kind.class() {
                    Some(class) => span class=(class) { (visible(text)) },
                    None => (visible(text)),
                }
            }
        }
    }

    fn pieces<'t>(&mut self, line: &'t str) -> Vec<(Kind, &'t str)> {
        let mut pieces: Vec<(Kind, &str)> = Vec::new();
        let mut rest = line;
        if !self.in_comment && rest.trim_start().starts_with('#') {
            let name = rest.trim_start().trim_start_matches('#').trim_start();
            let end = rest.len() - name.trim_start_matches(char::is_alphabetic).len();
            let (directive, behind) = rest.split_at(end);
            pieces.push((Kind::Directive, directive));
            rest = behind;
        }
        while !rest.is_empty() {
            let (kind, length) = self.next(rest);
            let (piece, behind) = rest.split_at(length);
            pieces.push((kind, piece));
            rest = behind;
        }
        pieces
    }

    /// The kind and length of the first token, which is at least one character.
    fn next(&mut self, rest: &str) -> (Kind, usize) {
        if self.in_comment || rest.starts_with("/*") {
            let begin = if self.in_comment { 0 } else { 2 };
            let end = rest.get(begin..).and_then(|inside| inside.find("*/"));
            self.in_comment = end.is_none();
            return (Kind::Comment, end.map_or(rest.len(), |end| begin + end + 2));
        }
        if rest.starts_with("//") {
            return (Kind::Comment, rest.len());
        }
        let first = rest.chars().next().unwrap_or_default();
        let while_true = |is: &dyn Fn(char) -> bool| rest.find(|c| !is(c)).unwrap_or(rest.len());
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        match first {
            '"' | '\'' => (Kind::Text, quoted(rest, first)),
            '0'..='9' => (Kind::Number, while_true(&|c| is_word(c) || c == '.')),
            c if is_word(c) => {
                let length = while_true(&is_word);
                let is_keyword = KEYWORDS.contains(&format!(" {} ", &rest[..length]));
                (if is_keyword { Kind::Keyword } else { Kind::Plain }, length)
            }
            c if c.is_whitespace() => (Kind::Plain, while_true(&char::is_whitespace)),
            c => (Kind::Plain, c.len_utf8()),
        }
    }
}

/// Length of a string or character constant, to the line's end where it has no other.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return at + c.len_utf8();
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(lines: &[&str]) -> Vec<(Kind, String)> {
        let lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
        let mut state = State::at_start_of(&lines);
        let all = lines.iter().flat_map(|line| {
            let pieces = state.pieces(line);
            assert_eq!(pieces.iter().map(|(_, text)| *text).collect::<String>(), *line);
            pieces.into_iter().map(|(kind, text)| (kind, text.to_owned())).collect::<Vec<_>>()
        });
        all.filter(|(kind, _)| *kind != Kind::Plain).collect()
    }

    fn expected(list: &[(Kind, &str)]) -> Vec<(Kind, String)> {
        list.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect()
    }

    #[test]
    fn tokens_are_told_apart() {
        let told = pieces(&[r#"return f(0x1fUL, "a\"/*b", '\'', iffy); // done"#]);
        let list = [
            (Kind::Keyword, "return"),
            (Kind::Number, "0x1fUL"),
            (Kind::Text, r#""a\"/*b""#),
            (Kind::Text, r"'\''"),
            (Kind::Comment, "// done"),
        ];
        assert_eq!(told, expected(&list));
        let told = pieces(&["#  define LIMIT 3 /* why */ int"]);
        let list = [
            (Kind::Directive, "#  define"),
            (Kind::Number, "3"),
            (Kind::Comment, "/* why */"),
            (Kind::Keyword, "int"),
        ];
        assert_eq!(told, expected(&list));
    }

    #[test]
    fn a_comment_goes_over_lines_also_if_it_began_above() {
        let told = pieces(&["if this", "* ends */ if (x) /* and", "goes on", "*/ else"]);
        let list = [
            (Kind::Comment, "if this"),
            (Kind::Comment, "* ends */"),
            (Kind::Keyword, "if"),
            (Kind::Comment, "/* and"),
            (Kind::Comment, "goes on"),
            (Kind::Comment, "*/"),
            (Kind::Keyword, "else"),
        ];
        assert_eq!(told, expected(&list));
    }

    #[test]
    fn what_is_no_c_is_shown_as_it_is_and_escaped() {
        for line in ["\"no end", "'", "\\", "/", "é§ 漢 \u{202e}", "<script>\"</script>"] {
            let lines = [line.to_owned()];
            let markup = State::at_start_of(&lines).line(line).into_string();
            assert!(!markup.contains("<script") && !markup.contains('\u{202e}'), "{markup}");
        }
    }
}
