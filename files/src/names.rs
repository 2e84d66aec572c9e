//! The names that columns of addresses have in the files people have, and those of what stands beside them.
//!
//! This is data: another name is another word in a list. Names are compared as [`plain`] makes them, without accents and
//! whatever their spaces and signs. What columns are called that say whether an address gets mail is in `mail_names`.

use crate::fold::{is_same, plain, squashed};
use crate::mapping::Field;

/// What stands in the name of a column of addresses. `posta` and the like need a word beside them, so they are phrases.
const MAIL: &[&str] = &[
    "email emails mail emailaddress emailadresse emailadress emailadres mailadres mailova mailaddress mailadresse mailadress courriel",
    "mel correo epost epostadress epostadresse eposta sahkoposti sahkopostiosoite почта почты имеил емеил",
];

/// Whole names, where a word of them alone says too little, and in scripts without spaces.
const PHRASES: &[&str] = &[
    "posta elettronica; indirizzo posta elettronica; indirizzo di posta elettronica; elektronicka posta; elektronicka adresa",
    "メールアドレス; メール; eメール; eメールアドレス; 電子メール; 邮箱; 电子邮件; 電郵; 이메일; 이메일 주소",
];

/// What may stand beside it: the lists of a higher rank are of addresses that are likelier to be second ones.
const BESIDE: &[&[&str]] = &[
    &[
        "e address adresse adress adres adresa adresi direccion indirizzo endereco osoite адрес cim the of your de del di da do",
        "du der electronico electronica electronique eletronico elektroniczny эл электронная электроннои",
    ],
    &[
        "primary main default preferred first haupt principal principale 1 value attributes attribute properties property",
        "data fields field profile",
    ],
    &[
        "customer customers kunde kunden kundin client clients cliente klient kund asiakas zakaznik contact contacts kontakt",
        "contacto contatto member members mitglied mitglieder miembro membre membro socio medlem jasen clen user users",
        "benutzer usuario utilisateur utente gebruiker subscriber subscribers abonnent abonne suscriptor recipient recipients",
        "empfanger destinataire destinatario ontvanger person people attendee guest buyer student patron donor participant",
        "teilnehmer lead login account konto клиента подписчика получателя",
    ],
    &["billing invoice rechnung rechnungs facturation facturacion fatturazione factuur payer paypal"],
    &["personal private privat work business home office professional geschaftlich dienstlich company firmen"],
    &["shipping delivery secondary alternate alternative other second additional backup weitere 2 3 4 5"],
];

/// What stands in the names of columns of other people's addresses: who looks after somebody, or wrote to them.
const FOREIGN: &[&str] = &[
    "owner sender from reply replyto agent rep manager staff assigned assignee assistant created creator inviter invited",
    "referrer referred referral admin seller vendor support cc bcc spouse emergency zustandig zustandiger bearbeiter",
    "betreuer absender besitzer eigentumer propietario proprietaire expediteur remitente mittente proprietario proprietaria",
    "responsable responsabile afzender nadawca avsandare avsender lahettaja odesilatel gonderen отправитель 送信者 担当者",
];

/// Columns that may hold addresses, the likeliest first: only taken when addresses are there.
const PERHAPS: &[&str] = &[
    "recipient; recipients; empfanger; destinataire; destinatario; ontvanger; odbiorca; mottagare; modtager; mottaker",
    "vastaanottaja; prijemce; alici; получатель; 宛先; subscriber; abonnent; suscriptor; to; address; adresse; adres",
    "contact; kontakt; user; username; user name; login; member",
];

/// The other columns that mean something in a list of blocked addresses.
const OTHERS: &[(Field, &[&str])] = &[
    (
        Field::Source,
        &["source; origin; quelle; origen; origine; fonte; bron; zrodlo; kalla; kilde; lahde; zdroj; kaynak"],
    ),
    (
        Field::Note,
        &[
            "note; notes; comment; comments; detail; details; remark; remarks; description; notiz; notizen; bemerkung; kommentar; remarque",
            "commentaire; nota; notas; comentario; comentarios; opmerking; uwagi; huomautus; poznamka; notlar; заметка; 備考",
        ],
    ),
    (
        Field::VendorCode,
        &["vendor code; code; error code; smtp code; status code; bounce code; smtp status; enhanced status code"],
    ),
];

/// The names of columns that only count the rows.
const NUMBERS: &[&str] = &["id; nr; no; number; row; line; index; pos; lfd nr; num; n; unnamed 0"];

/// What stands in the names of columns of who somebody is and where they live.
const PERSON: &[&str] = &[
    "name firstname lastname vorname nachname prenom nom nombre apellido apellidos nome cognome sobrenome naam imie nazwisko",
    "namn fornamn efternamn navn etunimi sukunimi jmeno prijmeni ad soyad имя фамилия 名前 氏名 city town ort stadt ville",
    "ciudad citta cidade plaats miasto stad country land pays pais paese kraj street strasse rue calle company firma phone",
    "gender title salutation anrede language sprache zip plz",
];

/// When an address came onto a list, whatever else is in the file.
const BLOCK_DATES: &[&str] = &[
    "first seen; suppressed at; blocked at; bounced at; bounce date; unsubscribed at; unsubscribed on; unsubscribe date",
    "unsubscribed date; date unsubscribed; unsub time; opt out date; opted out at; complained at; clean time",
    "blocklisted at; suppression date; suppressed on; abgemeldet am; abmeldedatum; gesperrt am; date de desinscription",
    "date de desabonnement; fecha de baja; data di disiscrizione; data de descadastro; uitschrijfdatum; data wypisania",
];

/// The same, in a file that is nothing but such a list. In one of contacts it is when somebody joined.
const DATES: &[&str] = &["created; created at; date; date added; added at; added; timestamp; time; datum; fecha; data"];

/// What a column's name is compared as.
pub(crate) fn normal(name: &str) -> String {
    plain(name).replace("news letter", "newsletter")
}

fn is_in(lines: &[&str], name: &str) -> bool {
    !name.is_empty() && lines.iter().flat_map(|line| line.split("; ")).any(|known| is_same(known, name))
}

fn has(lines: &[&str], token: &str) -> bool {
    lines.iter().flat_map(|line| line.split(' ')).any(|known| known == token)
}

/// The words of a normal name. `e mail` is one, and a number is one by itself.
pub(crate) fn tokens(name: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let joined =
            ["e mails", "e mail", "e posta", "e post", "e postadress", "e postadresse"].into_iter().find(|joined| {
                rest.strip_prefix(joined).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphabetic()))
            });
        let is_digit = first.is_ascii_digit();
        let end = match joined {
            Some(joined) => joined.len(),
            None => rest.find(|c: char| c == ' ' || c.is_ascii_digit() != is_digit).unwrap_or(rest.len()),
        };
        tokens.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    tokens
}

/// How certainly a column of this normal name holds the addresses of those whom a file is about, the best first.
pub(crate) fn email_rank(name: &str) -> Option<usize> {
    if is_in(PHRASES, name) {
        return Some(0);
    }
    let (mut rank, mut is_mail) = (0, false);
    for token in tokens(name) {
        let token = squashed(token);
        let (beside, is_part) = match MAIL.iter().any(|line| line.split(' ').any(|mail| mail == token)) {
            true => (Some(0), true),
            false => rank_beside(&token).map_or_else(|| joined(&token), |rank| (Some(rank), false)),
        };
        rank = rank.max(beside?);
        is_mail |= is_part;
    }
    is_mail.then_some(rank)
}

fn rank_beside(token: &str) -> Option<usize> {
    BESIDE.iter().position(|lines| has(lines, token))
}

/// The rank of two words in one, such as `kundenmail` or `useremail`.
fn joined(token: &str) -> (Option<usize>, bool) {
    let ends = ["emailaddress", "emailadresse", "email", "mailadresse", "mail"];
    let ranks = ends.into_iter().find_map(|end| rank_beside(token.strip_suffix(end)?));
    (ranks, ranks.is_some())
}

/// Whether a column of this normal name holds addresses for certain.
pub(crate) fn is_email(name: &str) -> bool {
    email_rank(name).is_some()
}

/// Whether a column of this normal name holds other people's addresses.
pub(crate) fn is_foreign(name: &str) -> bool {
    tokens(name).iter().any(|token| has(FOREIGN, token))
}

/// The columns among `names` that hold addresses for certain, the best name first.
pub(crate) fn email_columns(names: &[String]) -> Vec<usize> {
    let mut ranked: Vec<_> =
        names.iter().enumerate().filter_map(|(column, name)| Some((email_rank(name)?, column))).collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, column)| column).collect()
}

/// The columns among `names` that may hold addresses, the best name first.
pub(crate) fn perhaps_email_columns(names: &[String]) -> Vec<usize> {
    in_lines(names, PERHAPS)
}

/// Each other field with the columns that may be it, the best name first.
pub(crate) fn other_columns(names: &[String]) -> impl Iterator<Item = (Field, Vec<usize>)> {
    OTHERS.iter().map(|(field, known)| (*field, in_lines(names, known)))
}

/// The columns that say when an address was blocked, the best name first.
pub(crate) fn block_dates(names: &[String]) -> Vec<usize> {
    in_lines(names, BLOCK_DATES)
}

/// The columns that say it in a file of nothing but blocked addresses.
pub(crate) fn dates(names: &[String]) -> Vec<usize> {
    in_lines(names, DATES)
}

/// Whether a column of this normal name says who somebody is or where they live.
pub(crate) fn is_of_person(name: &str) -> bool {
    tokens(name).iter().any(|token| has(PERSON, token))
}

/// Whether a column of this normal name is one that lists of blocked addresses have.
pub(crate) fn is_listed(name: &str) -> bool {
    is_email(name)
        || is_number(name)
        || OTHERS.iter().any(|(_, known)| is_in(known, name))
        || [BLOCK_DATES, DATES].iter().any(|known| is_in(known, name))
}

/// Whether a column of this normal name only counts the rows.
pub(crate) fn is_number(name: &str) -> bool {
    name.is_empty() || is_in(NUMBERS, name)
}

fn in_lines(names: &[String], lines: &[&str]) -> Vec<usize> {
    let known = lines.iter().flat_map(|line| line.split("; "));
    known.filter_map(|known| names.iter().position(|name| is_same(name, known))).collect()
}

/// The columns among `names` that have one of the `known` names, the best first.
pub(crate) fn columns(names: &[String], known: &[&str]) -> Vec<usize> {
    known.iter().filter_map(|known| names.iter().position(|name| is_same(name, &plain(known)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_addresses_are_known_in_many_languages() {
        for (rank, names) in [
            (0, "Email;E-MAIL;e_mail; email  address ;E-Mail.Address;EmailAddress;E-Mail-Adresse;EMailAdresse;eMail"),
            (
                0,
                "Correo electrónico;Dirección de correo;Adresse e-mail;Adresse électronique e-mail;Courriel;Adresse mail",
            ),
            (
                0,
                "Indirizzo email;Indirizzo e-mail;Posta elettronica;Endereço de e-mail;E-mailadres;Adres e-mail;E-postadress",
            ),
            (0, "E-postadresse;Sähköposti;Sähköpostiosoite;E-mailová adresa;E-posta;E-posta adresi;Электронная почта"),
            (0, "Адрес электронной почты;メールアドレス;이메일"),
            (1, "Primary Email;E-mail 1 - Value;attributes.email;properties.email.value;Email 1"),
            (
                2,
                "member_email;Customer Email;customer.email;Contact Email;Recipient Email;userEmail;useremail;Kunden-E-Mail",
            ),
            (3, "Billing Email;billing_email"),
            (4, "Work Email;Home email"),
            (5, "Secondary Email;Email 2;EmailAddress2"),
        ] {
            for name in names.split(';') {
                assert_eq!(email_rank(&normal(name)), Some(rank), "{name}");
            }
        }
        for name in [
            "Email opt-in",
            "Email status",
            "Email sent",
            "E-mail 1 - Type",
            "Owner email",
            "Mailing address",
            "Address",
            "Sender email",
            "Email marketing consent",
            "Emails opened",
            "Primary",
            "Customer",
        ] {
            assert!(!is_email(&normal(name)), "{name}");
        }
        assert!(is_foreign("deal owner email") && is_foreign("zustandig") && !is_foreign("customer email"));
    }

    #[test]
    fn a_name_is_cut_into_words() {
        assert_eq!(tokens("e mail 1 value"), ["e mail", "1", "value"]);
        assert_eq!(tokens("emailaddress1"), ["emailaddress", "1"]);
        assert_eq!(tokens("date mail"), ["date", "mail"]);
        assert_eq!(tokens(""), Vec::<&str>::new());
    }
}
