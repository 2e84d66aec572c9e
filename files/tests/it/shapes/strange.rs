//! Bare lists, and files that are laid out in odd ways.

use super::Shape;

pub(super) const SHAPES: &[Shape] = &[
    ("a list", "a@x.example\nb@x.example\n", "manual manual"),
    ("a list with its name", "Email\na@x.example\nb@x.example\n", "manual manual"),
    ("a list with names around", "Anna Lind <a@x.example>\n\"Lind, Ben\" <b@x.example>\n", "manual manual"),
    ("a pasted line", "a@x.example, b@x.example; c@x.example\n", "manual manual manual"),
    ("a list with empty columns", "a@x.example;;\nb@x.example;;\n", "manual manual"),
    ("a numbered list", "#,Email\n1,a@x.example\n2,b@x.example\n", "manual manual"),
    ("a list with notes", "email,note\na@x.example,by phone\nb@x.example,\n", "manual manual"),
    ("texts in JSON", "[\"a@x.example\",\"b@x.example\"]", "manual manual"),
    ("objects of nothing else", "[{\"email\":\"a@x.example\"},{\"email\":\"b@x.example\"}]", "manual manual"),
    ("an address book", "a@x.example,Anna,Lind,Ulm\nb@x.example,Ben,Lind,Bonn\n", "reason_needed"),
    ("people in JSON", "[{\"email\":\"a@x.example\",\"name\":\"Anna\"}]", "reason_needed"),
    (
        "people in JSON Lines",
        "{\"email\":\"a@x.example\",\"city\":\"Ulm\"}\n{\"email\":\"b@x.example\",\"city\":\"Bonn\"}\n",
        "reason_needed",
    ),
    ("reasons without a header", "a@x.example,BOUNCE\nb@x.example,COMPLAINT\n", "hard_bounce complaint"),
    (
        "people and reasons without a header",
        "a@x.example,Anna,unsubscribed\nb@x.example,Ben,subscribed\n",
        "unsubscribe skipped",
    ),
    (
        "a title and an empty line",
        "\"Contacts export, 2024\"\n\nEmail,First Name,Status\na@x.example,A,subscribed\nb@x.example,B,unsubscribed\n",
        "skipped unsubscribe",
    ),
    (
        "a title that is cut, and who made it",
        "Contacts export, 2024\nby Eva\n\nName;E-Mail;Grund\nA;a@x.example;Abmeldung\n",
        "unsubscribe",
    ),
    (
        "a title above a header that nobody knows",
        "Export\n\nWer;Wo;Was\na@x.example;Ulm;bounce\nb@x.example;Bonn;spam\n",
        "hard_bounce complaint",
    ),
    ("a title above a list", "Blocked addresses\na@x.example\nb@x.example\n", "manual manual"),
    (
        "two columns of addresses",
        "Kunde;Zuständig für ihn;Grund\na@x.example;eva@my.example;Abmeldung\n",
        "unsubscribe",
    ),
    (
        "two columns of addresses and no name",
        "Wer;Wer noch;Grund\na@x.example;b@x.example;Abmeldung\n",
        "several_address_columns",
    ),
    ("the address of somebody else", "Deal,Owner email,Kunde\n1,eva@my.example,a@x.example\n", "reason_needed"),
    ("names on Twitter", "email,twitter,status\na@x.example,@ann,unsubscribed\n", "unsubscribe"),
    (
        "two addresses with known names",
        "Billing Email,Shipping Email,Unsubscribed\na@x.example,b@x.example,yes\n",
        "unsubscribe",
    ),
    (
        "our own export",
        "email,reason,source,note,first_seen,vendor_code\na@x.example,manual,api,,2024-01-02T00:00:00Z,\n",
        "manual",
    ),
    (
        "whole lines in quotes",
        "\"email,name,status\"\n\"a@x.example,Anna,unsubscribed\"\n\"b@x.example,\"\"Lind, Ben\"\",subscribed\"\n",
        "unsubscribe skipped",
    ),
    (
        "a text among objects",
        "[{\"email\":\"a@x.example\",\"status\":\"unsubscribed\"},\"b@x.example\",{\"email\":\"c@x.example\",\"status\":\"active\"}]",
        "unsubscribe unclear skipped",
    ),
    (
        "a text among addresses in objects",
        "[{\"email\":\"a@x.example\"},\"b@x.example\",{\"email\":\"c@x.example\"}]",
        "manual manual manual",
    ),
];
