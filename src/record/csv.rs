//! Lines of CSV (RFC 4180) that spreadsheet programs do not take for formulas.

/// Adds a line with these cells.
pub fn write_line<'a>(text: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        if cell.contains([',', '"', '\r', '\n']) {
            text.extend(["\"", guard, &cell.replace('"', "\"\""), "\""]);
        } else {
            text.extend([guard, cell]);
        }
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::write_line;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_none_is_a_formula() {
        let mut text = String::new();
        write_line(
            &mut text,
            ["plain", "a, \"b\"", "two\nlines", "=1+1", "+1", "-1", "@a", "\tx", "\rx", "=1,2", "'", ""],
        );
        let expected = "plain,\"a, \"\"b\"\"\",\"two\nlines\",'=1+1,'+1,'-1,'@a,'\tx,\"'\rx\",\"'=1,2\",',\r\n";
        assert_eq!(text, expected);
    }
}
