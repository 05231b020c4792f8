//! Writes: one SQL text and its values, run on the database of the transaction.

/// Runs one write and returns the number of affected rows.
macro_rules! execute {
    ($tx:expr, $query:expr) => {{
        let tx: &mut $crate::db::Tx = $tx;
        match &mut tx.on {
            $crate::db::On::Reader(_) => Err(sqlx::Error::Configuration("a read-only transaction cannot write".into())),
            // Boxed, as in `statement.rs`.
            $crate::db::On::Sqlite(write) => {
                Box::pin(async { $query.execute(write.connection()).await.map(|done| done.rows_affected()) }).await
            }
            $crate::db::On::Postgres(turn) => {
                let caches = turn.caches_statements;
                let done = async {
                    let query = if caches { $query } else { $query.persistent(false) };
                    query.execute(turn.connection()).await.map(|done| done.rows_affected())
                };
                Box::pin($crate::db::in_time(done)).await
            }
        }
    }};
}
pub(crate) use execute;
