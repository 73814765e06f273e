//! The next page of a list
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags>).
//!
//! A page whose successor cannot be followed is a failure, because a list that was cut short must not look complete.

use reqwest::header::{HeaderMap, LINK};

use super::header_value::parameter;
use super::transport;
use crate::domain::reference::repository::Repository;
use crate::report::cause::Cause;

/// Returns the path of the page behind the one at `path`; none at the end of the list.
///
/// The next page comes from the same registry and is of the same list, wherever the answer points. Registries behind
/// a proxy link to their own host or to a longer path
/// (<https://github.com/sonatype/nexus-public/issues/1011>), so only the query is taken from the link.
///
/// # Errors
/// The reason why the next page cannot be followed.
pub(super) fn next_page(
    repository: &Repository,
    path: &str,
    headers: &HeaderMap,
) -> Result<Option<String>, String> {
    let Some(target) = next_target(headers)? else {
        return Ok(None);
    };
    let shown = Cause::said(&target).to_string();
    let unusable = |why: &str| format!("its next page `{shown}` {why}");
    let this = transport::url(repository, path).map_err(|_| unusable("cannot be followed"))?;
    let next = this
        .join(&target)
        .map_err(|_| unusable("is not an address"))?;
    if !next.path().ends_with(this.path()) && next.host_str() != this.host_str() {
        return Err(unusable("is another list on another host"));
    }
    match next.query() {
        Some(query) if !query.is_empty() && next.query() != this.query() => {
            Ok(Some(format!("{}?{query}", this.path())))
        }
        _ => Err(unusable("is the page that links to it")),
    }
}

/// Target of the first link to a next page.
fn next_target(headers: &HeaderMap) -> Result<Option<String>, String> {
    for line in headers.get_all(LINK) {
        let links = line.to_str().ok().and_then(parse);
        let links = links.ok_or("its header `Link` cannot be read")?;
        let mut links = links.into_iter();
        if let Some(next) = links.find(Link::is_next) {
            return Ok(Some(next.target));
        }
    }
    Ok(None)
}

/// One link of the header (<https://www.rfc-editor.org/rfc/rfc8288#section-3>).
struct Link {
    target: String,
    /// Value of its first parameter `rel`.
    relations: Option<String>,
}

impl Link {
    fn is_next(&self) -> bool {
        let relations = self.relations.as_deref().unwrap_or_default();
        let mut relations = relations.split_whitespace();
        relations.any(|relation| relation.eq_ignore_ascii_case("next"))
    }
}

/// Reads a line of the header; none if it is malformed.
fn parse(text: &str) -> Option<Vec<Link>> {
    const SPACE: [char; 2] = [' ', '\t'];
    let mut all = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        let mut link = Link {
            target: target.trim().to_owned(),
            relations: None,
        };
        rest = after.trim_start_matches(SPACE);
        while let Some(after) = rest.strip_prefix(';') {
            let after = after.trim_start_matches(SPACE);
            let end = after.find([' ', '\t', '=', ';', ',']);
            let (name, after) = after.split_at(end.unwrap_or(after.len()));
            let after = after.trim_start_matches(SPACE);
            let (value, after) = match after.strip_prefix('=') {
                Some(value) => parameter(value.trim_start_matches(SPACE), &[',', ';']),
                None => (String::new(), after),
            };
            if name.eq_ignore_ascii_case("rel") {
                link.relations.get_or_insert(value);
            }
            rest = after.trim_start_matches(SPACE);
        }
        all.push(link);
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start_matches([' ', '\t', ',']),
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::next_page;
    use crate::domain::reference::repository::Repository;
    use reqwest::header::{HeaderMap, HeaderValue, LINK};

    const PATH: &str = "/v2/app/web/tags/list?n=2";

    fn next(lines: &[&[u8]]) -> Result<Option<String>, String> {
        let repository = Repository::new("registry.example:8443", "app/web");
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(LINK, HeaderValue::from_bytes(line).expect("a value"));
        }
        next_page(&repository, PATH, &headers)
    }

    #[test]
    fn a_next_page_is_followed_by_its_query() {
        for link in [
            r#"</v2/app/web/tags/list?last=b&n=2>; rel="next""#,
            "<?last=b&n=2>;rel=next",
            r#"<http://other.example/prefix/v2/app/web/tags/list?last=b&n=2>; rel="next""#,
            r#"<https://registry.example/v2/hosted/app/web/tags/list?last=b&n=2>; rel="next""#,
            "</v2/app/web/tags/list?last=b&n=2> ; Rel = NEXT",
            r#"</v2/app/web/tags/list?last=b&n=2>; title="a, b; c"; rel="last Next""#,
        ] {
            let path = "/v2/app/web/tags/list?last=b&n=2".to_owned();
            assert_eq!(next(&[link.as_bytes()]), Ok(Some(path)), "{link}");
        }
    }

    #[test]
    fn a_list_of_links_is_searched_for_the_next_page() {
        let path = Ok(Some("/v2/app/web/tags/list?last=b".to_owned()));
        let first =
            b"</v2/app/web/tags/list?a>; rel=first, <?last=b>; rel=\"next\", <?z>; rel=last";
        assert_eq!(next(&[first]), path);
        assert_eq!(
            next(&[b"</style.css>; rel=preload", b"<?last=b>; rel=next"]),
            path
        );
        assert_eq!(next(&[b"<?a>; rel=prev; rel=next"]), Ok(None));
    }

    #[test]
    fn a_list_ends_without_a_link_to_a_next_page() {
        assert_eq!(next(&[]), Ok(None));
        assert_eq!(next(&[b""]), Ok(None));
        assert_eq!(next(&[b"</style.css>; rel=preload; as=style"]), Ok(None));
    }

    #[test]
    fn a_next_page_that_cannot_be_followed_is_a_failure() {
        let lines: [&[u8]; 8] = [
            b"<https://other.example/v2/other/tags/list?last=b>; rel=next",
            b"</v2/app/web/tags/list?n=2>; rel=next",
            b"</v2/app/web/tags/list>; rel=next",
            b"<http://[/?last=b>; rel=next",
            b"/v2/app/web/tags/list?last=b; rel=next",
            b"<?last=b; rel=next",
            b"<?last=b> rel=next",
            b"<?last=\xff>; rel=next",
        ];
        for line in lines {
            assert!(next(&[line]).is_err(), "{}", String::from_utf8_lossy(line));
        }
    }
}
