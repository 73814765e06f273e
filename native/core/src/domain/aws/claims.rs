use std::fmt;

/// Claims of a token that a trust policy looks at; nothing else of it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// `iss`: who issued it.
    pub issuer: String,
    /// `sub`: whom it stands for.
    pub subject: String,
    /// `aud`: whom it is meant for.
    pub audience: String,
}

impl fmt::Display for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "iss `{}`, sub `{}`, aud `{}`",
            self.issuer, self.subject, self.audience
        )
    }
}
