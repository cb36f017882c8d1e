//! Fields of forms and of queries (the URL standard's `application/x-www-form-urlencoded`).

/// Returns a field of a form; what is no percent-encoded byte stands for itself.
pub(super) fn field(form: &str, name: &str) -> Option<String> {
    let mut pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| decoded(key) == name).map(|(_, value)| decoded(value))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        rest = match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                &after[2..]
            }
            (b'+', _) => {
                bytes.push(b' ');
                after
            }
            (other, _) => {
                bytes.push(*other);
                after
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_write_them() {
        let form = "a=1&to%6ben=x%2By+z%C3%A9&b=%zz%4&c=";
        for (name, value) in
            [("a", Some("1")), ("token", Some("x+y zé")), ("b", Some("%zz%4")), ("c", Some("")), ("d", None)]
        {
            assert_eq!(field(form, name).as_deref(), value, "{name}");
        }
        assert_eq!(field("", "a"), None);
    }
}
