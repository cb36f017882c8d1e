//! The protocol in all its revisions, message by message.

mod asking;
mod basics;
mod changes;
mod components;
mod mistakes;
