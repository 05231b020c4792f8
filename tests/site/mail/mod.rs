//! Mail: the outbox, the mail server, links, and notices.

mod commands;
mod email_change;
mod invitations;
mod key_notices;
mod notices;
mod outbox;
mod reset;
mod settings;
mod sign_up;
mod smtp;
