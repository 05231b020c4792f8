//! Writes with constant SQL.

/// Runs one write with its values, `$1` first, and returns the number of affected rows.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $value:expr)* $(,)?) => {
        $crate::db::Statement::new($sql, vec![$($crate::db::Bind::from($value)),*]).execute($tx).await
    };
}
pub(crate) use execute;
