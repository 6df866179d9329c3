// SPDX-License-Identifier: MIT OR Apache-2.0
//! The URL of a repository, in which names in braces stand for the guest's sites and releases.

use std::collections::BTreeMap;

use super::error::RpmError;

/// Replaces `{name}` in a repository's URL.
pub(super) fn expanded(
    repository: &str,
    url: &str,
    names: &BTreeMap<&str, &str>,
) -> Result<String, RpmError> {
    let mut text = String::new();
    let mut rest = url;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        let value = names.get(name).ok_or_else(|| RpmError::NoName {
            url: url.to_owned(),
            repository: repository.to_owned(),
            name: name.to_owned(),
        })?;
        text.push_str(before);
        text.push_str(value.trim_end_matches('/'));
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_braces_are_replaced() {
        let names = BTreeMap::from([("vault", "http://v/c/"), ("point", "7.9.2009")]);
        let url = expanded("os", "{vault}/{point}/os/x86_64/", &names).unwrap();
        assert_eq!(url, "http://v/c/7.9.2009/os/x86_64/");
        let message = expanded("os", "{vualt}/os", &names).unwrap_err().to_string();
        assert!(message.contains("{vualt}") && message.contains("os"), "{message}");
    }
}
