//! What everything is compared with: an actix-web handler that sends the same bytes and looks at nothing.

use std::{net::SocketAddr, path::Path};

use actix_web::{
    App, HttpResponse, HttpServer,
    http::header::ContentType,
    web::{self, Bytes},
};

/// Serves the bytes of a file at every address, and says where.
pub fn serve(file: &Path) -> std::io::Result<()> {
    let body = Bytes::from(std::fs::read(file)?);
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let body = body.clone();
            App::new().default_service(web::to(move || {
                let body = body.clone();
                async move { HttpResponse::Ok().content_type(ContentType::json()).body(body) }
            }))
        })
        .bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = server.addrs().into_iter().next().ok_or_else(|| std::io::Error::other("no address"))?;
        println!("bare is serving {address}");
        server.run().await
    })
}
