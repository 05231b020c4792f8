//! A resource with its verbs: every GET also answers HEAD, any other method is a 405 that says what is allowed.
//! (actix answers both with 404 by itself.)

use actix_web::{FromRequest, Handler, Resource, Responder, http::Method, web};

use super::error::Error;

/// The verbs of one path.
pub struct Verbs {
    resource: Resource,
    allow: Vec<&'static str>,
}

/// Starts the verbs of `path`.
pub fn resource(path: &str) -> Verbs {
    Verbs { resource: web::resource(path), allow: Vec::new() }
}

macro_rules! verb {
    ($name:ident, $method:ident) => {
        pub fn $name<F, Args>(self, handler: F) -> Self
        where
            F: Handler<Args>,
            Args: FromRequest + 'static,
            F::Output: Responder + 'static,
        {
            self.on(Method::$method, stringify!($method), handler)
        }
    };
}

impl Verbs {
    pub fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::GET, "GET", handler.clone()).on(Method::HEAD, "HEAD", handler)
    }

    verb!(post, POST);
    verb!(put, PUT);
    verb!(delete, DELETE);

    fn on<F, Args>(mut self, method: Method, name: &'static str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.resource = self.resource.route(web::method(method).to(handler));
        self.allow.push(name);
        self
    }

    /// The finished resource, for `service`.
    pub fn done(self) -> Resource {
        let allow = self.allow.join(", ");
        self.resource.default_service(web::to(move || {
            let refusal = Error::MethodNotAllowed(allow.clone());
            async move { Err::<&'static str, Error>(refusal) }
        }))
    }
}
