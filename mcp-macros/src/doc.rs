//! Doc comments to descriptions.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// Joins the doc comment of an item: paragraphs kept, the space after `///` removed.
pub(crate) fn description(attrs: &[Attribute]) -> String {
    let lines: Vec<String> = attrs.iter().filter_map(line).flat_map(|text| plain(&text)).collect();
    lines.join("\n").trim().to_owned()
}

/// Returns the text of one `#[doc = ".."]`; `#[doc(hidden)]` and `#[doc = include_str!(..)]` have none.
fn line(attr: &Attribute) -> Option<String> {
    match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// Removes the decoration of one comment, which has several lines where it is a `/** .. */`.
fn plain(text: &str) -> Vec<String> {
    let starred =
        text.lines().skip(1).all(|line| line.trim_start().starts_with('*') || line.trim().is_empty());
    let block = text.contains('\n');
    text.lines()
        .map(|line| {
            let line = if block { line.trim_start() } else { line };
            let line = if block && starred { line.strip_prefix('*').unwrap_or(line) } else { line };
            line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()
        })
        .collect::<Vec<_>>()
        .into_iter()
        .chain(text.is_empty().then(String::new))
        .collect()
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn lines_and_paragraphs() {
        let attrs: Vec<Attribute> = vec![
            parse_quote!(#[doc = " One."]),
            parse_quote!(#[doc = ""]),
            parse_quote!(#[doc = "  - two "]),
            parse_quote!(#[doc(hidden)]),
            parse_quote!(#[allow(unused)]),
        ];
        assert_eq!(description(&attrs), "One.\n\n - two");
    }

    #[test]
    fn a_block() {
        let attrs: Vec<Attribute> = vec![parse_quote!(#[doc = " One\n * two\n *\n * three\n "])];
        assert_eq!(description(&attrs), "One\ntwo\n\nthree");
        assert_eq!(description(&[]), "");
    }
}
