//! Response types of searches, with the matches marked.

use foretell_domain::post::Post;
use foretell_domain::search::{SearchLanguage, SearchQuery};
use foretell_ports::market::MarketDetails;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::search::SearchPage;
use serde::Serialize;
use utoipa::ToSchema;

use super::market::MarketView;
use super::page::Paging;
use super::post::PostView;

/// A query and the language of its words.
#[derive(Clone, Copy)]
pub(crate) struct LocalQuery<'a> {
    pub(crate) query: &'a SearchQuery,
    pub(crate) language: SearchLanguage,
}

/// A matching market.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MarketHit<'a> {
    #[serde(flatten)]
    market: MarketView<'a>,
    score: f64,
    highlight: MarketHighlight,
}

/// HTML whose only markup is `<mark>` around matches; empty if there is no match in the field.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MarketHighlight {
    name: String,
    description: String,
}

/// A matching post.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PostHit<'a> {
    #[serde(flatten)]
    post: PostView<'a>,
    score: f64,
    highlight: PostHighlight,
}

/// HTML whose only markup is `<mark>` around matches; empty if there is no match in the field.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PostHighlight {
    title: String,
    content: String,
}

impl<'a> MarketHit<'a> {
    /// Creates the response for a market with its score.
    pub(crate) fn new(
        market: MarketView<'a>,
        details: &MarketDetails,
        score: f64,
        query: LocalQuery<'_>,
    ) -> Self {
        let name = highlight(query, details.texts.name.as_str());
        let description = highlight(query, details.texts.description.as_str());
        Self { market, score, highlight: MarketHighlight { name, description } }
    }
}

impl<'a> PostHit<'a> {
    /// Creates the response for a post with its score.
    pub(crate) fn new(view: PostView<'a>, post: &Post, score: f64, query: LocalQuery<'_>) -> Self {
        let title = highlight(query, post.body.title.as_str());
        let content = highlight(query, post.body.content.as_str());
        Self { post: view, score, highlight: PostHighlight { title, content } }
    }
}

/// Returns an excerpt of a text as HTML.
fn highlight(LocalQuery { query, language }: LocalQuery<'_>, text: &str) -> String {
    let mut html = String::new();
    for (part, is_found) in query.excerpt(text, language) {
        if is_found {
            html.push_str("<mark>");
        }
        for c in part.chars() {
            match c {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '"' => html.push_str("&quot;"),
                '\'' => html.push_str("&#39;"),
                _ => html.push(c),
            }
        }
        if is_found {
            html.push_str("</mark>");
        }
    }
    html
}

/// Returns the matches to read. A cursor contains the number of matches already returned.
pub(crate) fn search_page(paging: &Paging) -> SearchPage {
    let PageRequest { start, limit } = paging.request::<i64>();
    let offset = match start {
        PageStart::First => 0,
        PageStart::Offset(rows) | PageStart::After(rows) => rows.max(0),
    };
    SearchPage { offset, limit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highlight_contains_no_other_markup() {
        let query = SearchQuery::parse("rain").unwrap();
        let query = LocalQuery { query: &query, language: SearchLanguage::ENGLISH };
        let html = highlight(query, "<b>Rain</b> & 'snow' \"hail\"");
        assert_eq!(
            html,
            "&lt;b&gt;<mark>Rain</mark>&lt;/b&gt; &amp; &#39;snow&#39; &quot;hail&quot;"
        );
    }
}
