//! The little that tests need to find in a page.

/// The value of the input `name`, with its entities resolved.
pub fn input_value(html: &str, name: &str) -> Option<String> {
    tags(html, "input")
        .find(|tag| attribute(tag, "name").as_deref() == Some(name))
        .and_then(|tag| attribute(tag, "value"))
}

/// Every address that a form of the page sends to, in the page's order.
pub fn form_actions(html: &str) -> Vec<String> {
    tags(html, "form").filter_map(|tag| attribute(tag, "action")).collect()
}

/// The values of the boxes and buttons named `name`, each with whether it is ticked, in the page's order.
pub fn choices(html: &str, name: &str) -> Vec<(String, bool)> {
    tags(html, "input")
        .filter(|tag| attribute(tag, "name").as_deref() == Some(name))
        .map(|tag| (attribute(tag, "value").expect("a value"), tag.split_whitespace().any(|word| word == "checked")))
        .collect()
}

/// The rows of the page's tables, each with its tags.
pub fn rows(html: &str) -> impl Iterator<Item = &str> {
    html.split("<tr").skip(1).map(|row| row.split("</tr>").next().unwrap_or(row))
}

/// Every API key that stands in the text: `lk_` and 49 base62 characters,
/// with nothing of the kind before or after.
pub fn keys(text: &str) -> Vec<&str> {
    let base62 = |byte: u8| byte.is_ascii_alphanumeric();
    text.match_indices("lk_")
        .filter(|(at, _)| *at == 0 || !base62(text.as_bytes()[at - 1]))
        .filter_map(|(at, _)| {
            let rest = &text.as_bytes()[at + 3..];
            let length = rest.iter().take_while(|byte| base62(**byte)).count();
            (length == 49).then(|| &text[at..at + 3 + length])
        })
        .collect()
}

fn tags<'a>(html: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    html.split('<')
        .filter_map(move |tag| tag.strip_prefix(name))
        .filter(|tag| tag.starts_with([' ', '\n', '\t', '\r', '>', '/']))
        .filter_map(|tag| tag.split('>').next())
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (at, _) = tag
        .match_indices(name)
        .find(|(at, _)| tag[..*at].ends_with(char::is_whitespace) && tag[at + name.len()..].starts_with('='))?;
    let value = &tag[at + name.len() + 1..];
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].split(quote).next(),
        _ => value.split_whitespace().next(),
    }?;
    Some(
        value
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&#x27;", "'")
            .replace("&amp;", "&")
            .replace("&#38;", "&"),
    )
}
