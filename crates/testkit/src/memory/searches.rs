//! Text search in memory: it reads every text.

use async_trait::async_trait;
use foretell_domain::id::{MarketId, PostId};
use foretell_domain::search::{
    Alternative, IndexedText, Parts, Phrase, SearchLanguage, SearchQuery,
};
use foretell_ports::error::StoreError;
use foretell_ports::market::MarketFilter;
use foretell_ports::post::PostFilter;
use foretell_ports::search::{Hit, Hits, SearchMethod, SearchPage, TextSearch};

use super::MemoryStore;
use super::market_queries::is_wanted;
use super::posts::posts_in;

#[async_trait]
impl TextSearch for MemoryStore {
    fn capacity(&self) -> usize {
        1
    }

    fn language(&self) -> SearchLanguage {
        SearchLanguage::ENGLISH
    }

    fn is_indexed(&self) -> bool {
        true
    }

    async fn index_texts(&self) -> Result<usize, StoreError> {
        Ok(0)
    }

    async fn clear_index(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn search_markets(
        &self,
        method: SearchMethod,
        query: &SearchQuery,
        filter: &MarketFilter,
        page: SearchPage,
    ) -> Result<Hits<MarketId>, StoreError> {
        let tables = self.read()?;
        let rows = tables.markets.committed().iter().filter(|(_, row)| is_wanted(filter, row));
        let texts =
            rows.map(|(id, row)| (*id, row.texts.name.as_str(), row.texts.description.as_str()));
        Ok(found(texts, method, query, page))
    }

    async fn search_posts(
        &self,
        method: SearchMethod,
        query: &SearchQuery,
        filter: &PostFilter,
        page: SearchPage,
    ) -> Result<Hits<PostId>, StoreError> {
        let tables = self.read()?;
        let texts = posts_in(&tables, filter)
            .map(|post| (post.id, post.body.title.as_str(), post.body.content.as_str()));
        Ok(found(texts, method, query, page))
    }
}

fn found<'a, I: Ord + Copy>(
    texts: impl Iterator<Item = (I, &'a str, &'a str)>,
    method: SearchMethod,
    query: &SearchQuery,
    page: SearchPage,
) -> Hits<I> {
    let hit = |(id, first, second): (I, &str, &str)| {
        let text = IndexedText::new(first, second, SearchLanguage::ENGLISH);
        let score = match method {
            SearchMethod::FullText => by_words(query, &text)?,
            SearchMethod::Substring => by_parts(query, &text)?,
        };
        Some(Hit { id, score })
    };
    let mut hits: Vec<_> = texts.filter_map(hit).collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.id.cmp(&a.id)));
    let total = i64::try_from(hits.len()).unwrap_or(i64::MAX);
    let skipped = usize::try_from(page.offset).unwrap_or(usize::MAX).min(hits.len());
    hits.drain(..skipped);
    hits.truncate(page.limit as usize);
    Hits { hits, total }
}

fn by_words(query: &SearchQuery, text: &IndexedText) -> Option<f64> {
    let score = |phrase: &Phrase| {
        let weight = |words: &[String], weight: f64| if has(words, phrase) { weight } else { 0.0 };
        weight(&text.title, 10.0) + weight(&text.body, 1.0)
    };
    let met = |alternative: &Alternative| {
        let is_met = alternative.wanted.iter().all(|phrase| score(phrase) > 0.0)
            && alternative.unwanted.iter().all(|phrase| score(phrase) == 0.0);
        is_met.then(|| alternative.wanted.iter().map(score).sum::<f64>())
    };
    query.alternatives().iter().filter_map(met).reduce(f64::max)
}

fn has(words: &[String], phrase: &Phrase) -> bool {
    let stems = phrase.stems(SearchLanguage::ENGLISH);
    words.windows(stems.len()).any(|window| window == stems)
}

fn by_parts(query: &SearchQuery, text: &IndexedText) -> Option<f64> {
    let has_all =
        |parts: &Parts, text: &str| parts.wanted.iter().all(|part| text.contains(part.as_str()));
    let met = |parts: &Parts| {
        let is_met = has_all(parts, &text.substrings)
            && !parts.unwanted.iter().any(|part| text.substrings.contains(part.as_str()));
        is_met.then(|| if has_all(parts, text.title_substrings()) { 2.0 } else { 1.0 })
    };
    query.parts().iter().filter_map(met).reduce(f64::max)
}
