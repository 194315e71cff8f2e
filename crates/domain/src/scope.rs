//! Scopes: permissions of an API key.

use std::fmt;

/// A permission of an API key. No scope includes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum Scope {
    /// Read the user's own data.
    Read,
    /// Move money: transfers, bets, sales, and the creation of markets.
    Trade,
    /// Every other change: profiles, markets, posts, comments and administration.
    Manage,
    /// Propose how markets are resolved. [`Trade`](Self::Trade) resolves them.
    Resolve,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Read, Self::Trade, Self::Manage, Self::Resolve];

    /// Returns the name used in JSON and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Trade => "trade",
            Self::Manage => "manage",
            Self::Resolve => "resolve",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// Returns the scope with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of at least one scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Vec<Scope>", into = "Vec<Scope>")
)]
pub struct Scopes(u8);

impl Scopes {
    /// All scopes, as sessions have.
    pub const ALL: Self = Self(0b1111);

    /// Returns the set of these scopes; `None` without any.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Option<Self> {
        let bits = scopes.into_iter().fold(0, |bits, scope| bits | scope.bit());
        (bits != 0).then_some(Self(bits))
    }

    /// Returns `true` if the set contains this scope.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Iterates over the scopes in the order of their declaration.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Vec<Scope>> for Scopes {
    type Error = &'static str;

    fn try_from(scopes: Vec<Scope>) -> Result<Self, Self::Error> {
        Self::new(scopes).ok_or("must have at least one scope")
    }
}

#[cfg(feature = "serde")]
impl From<Scopes> for Vec<Scope> {
    fn from(set: Scopes) -> Self {
        set.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_contains_each_scope_once() {
        let set = Scopes::new([Scope::Manage, Scope::Read, Scope::Manage]).unwrap();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Scope::Read, Scope::Manage]);
        assert_eq!(Scopes::new(Scope::ALL), Some(Scopes::ALL));
    }

    #[test]
    fn set_without_scope_is_rejected() {
        assert_eq!(Scopes::new([]), None);
    }

    #[test]
    fn names_are_read_back() {
        for scope in Scope::ALL {
            assert_eq!(Scope::from_name(scope.as_str()), Some(scope));
        }
        assert_eq!(Scope::from_name("READ"), None);
    }
}
