//! Resources with their methods: every GET also answers HEAD; other methods are a 405 with `Allow`. (actix itself
//! answers both with 404.)

use actix_web::{
    FromRequest, Handler, Resource, Responder,
    http::Method,
    web::{self, ServiceConfig},
};

use crate::{base::error::Error, web::errors::NotFoundCode};

/// True for GET and HEAD.
pub fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// True for methods that may change something (RFC 9110, section 9.2.1: the others are safe).
pub fn is_write(method: &Method) -> bool {
    !method.is_safe()
}

/// The methods of one path.
pub struct Methods {
    path: String,
    resource: Resource,
    allow: Vec<&'static str>,
}

/// A path, to which methods are added.
pub fn resource(path: &str) -> Methods {
    Methods { path: path.to_owned(), resource: web::resource(path), allow: Vec::new() }
}

/// Paths with their methods, to be listed as well as served.
#[derive(Default)]
pub struct Routes {
    resources: Vec<Resource>,
    /// Each path with its methods, HEAD among them.
    pub listed: Vec<(String, Vec<&'static str>)>,
}

impl Routes {
    pub fn add(mut self, methods: Methods) -> Self {
        self.listed.push((methods.path.clone(), methods.allow.clone()));
        self.resources.push(methods.done());
        self
    }

    /// Adds a path that the API's document does not name: another spelling of one that it does.
    pub fn unlisted(mut self, methods: Methods) -> Self {
        self.resources.push(methods.done());
        self
    }

    /// Serves them, for `configure`.
    pub fn serve(self, config: &mut ServiceConfig) {
        for resource in self.resources {
            config.service(resource);
        }
    }
}

macro_rules! method {
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

impl Methods {
    pub fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::GET, "GET", handler.clone()).on(Method::HEAD, "HEAD", handler)
    }

    method!(post, POST);
    method!(put, PUT);
    method!(delete, DELETE);

    /// Sets the code of a 404 for GET and HEAD; without this it is [`NotFoundCode::default`].
    pub fn not_found(mut self, code: &'static str) -> Self {
        self.resource = self.resource.app_data(NotFoundCode(code));
        self
    }

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
