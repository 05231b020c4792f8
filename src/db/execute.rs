//! Writes: one text and its values, run on whichever database the transaction is of.

/// Runs one write; the answer is the number of rows it touched.
macro_rules! execute {
    ($tx:expr, $query:expr) => {{
        let tx: &mut $crate::db::Tx = $tx;
        match &mut tx.on {
            $crate::db::On::Reader(_) => {
                Err(sqlx::Error::Configuration("a transaction that reads does not write".into()))
            }
            // Boxed, as in `statement.rs`.
            $crate::db::On::Sqlite(write) => {
                Box::pin(async { $query.execute(write.connection()).await.map(|done| done.rows_affected()) }).await
            }
            $crate::db::On::Postgres(turn) => {
                let keeps = turn.keeps_statements;
                let done = async {
                    let query = if keeps { $query } else { $query.persistent(false) };
                    query.execute(turn.connection()).await.map(|done| done.rows_affected())
                };
                Box::pin($crate::db::in_time(done)).await
            }
        }
    }};
}
pub(crate) use execute;
