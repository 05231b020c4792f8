//! Texts of the API's document, as pages show them: paragraphs, and code between backticks. Nothing else of Markdown.

use std::fmt;

use askama::filters::{Html, HtmlSafe, escape};

/// One paragraph. Displayed, it is HTML: everything is escaped, and what stands between backticks is code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rich(String);

impl Rich {
    pub fn new(text: impl Into<String>) -> Self {
        Rich(text.into())
    }

    /// The paragraphs of a text.
    pub fn paragraphs(text: &str) -> Vec<Rich> {
        text.split("\n\n").map(str::trim).filter(|part| !part.is_empty()).map(Rich::new).collect()
    }
}

impl HtmlSafe for Rich {}

impl fmt::Display for Rich {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut rest = self.0.as_str();
        while let Some((before, code, after)) = next_code(rest) {
            write!(f, "{}<code>{}</code>", escaped(before)?, escaped(code)?)?;
            rest = after;
        }
        write!(f, "{}", escaped(rest)?)
    }
}

/// The text before the next code, the code, and the text after it. A backtick without a partner is itself.
fn next_code(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    Some((before, code, after))
}

fn escaped(text: &str) -> Result<impl fmt::Display, fmt::Error> {
    escape(text, Html).map_err(|_| fmt::Error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_shown_as_code_and_everything_is_escaped() {
        let shown = |text: &str| Rich::new(text).to_string();
        assert_eq!(shown("plain"), "plain");
        assert_eq!(shown("at most `occ_adults`."), "at most <code>occ_adults</code>.");
        assert_eq!(shown("`a` and `b`"), "<code>a</code> and <code>b</code>");
        assert_eq!(shown("a lone ` stays"), "a lone ` stays");
        assert_eq!(shown("<b> `<i>` &"), "&#60;b&#62; <code>&#60;i&#62;</code> &#38;");
        assert_eq!(shown("**no** [link](x)"), "**no** [link](x)");
    }

    #[test]
    fn an_empty_line_begins_a_paragraph() {
        assert_eq!(Rich::paragraphs("One\nline.\n\nTwo.\n\n"), [Rich::new("One\nline."), Rich::new("Two.")]);
        assert!(Rich::paragraphs(" \n").is_empty());
    }
}
