//! The words in the names of columns that say whether an address gets mail: a table of them.
//!
//! This is data: another name is another word in a list. What a name is made of them says is in `mail_names`.

use crate::reason::{Reason, Verdict};

/// What a yes says, and the phrases that say so.
pub(crate) const YES_OR_NO: &[(Verdict, &[&str])] = &[
    (
        Verdict::Suppressed(Reason::HardBounce),
        &[
            "hard bounced; hard bounce; hard bounces; bounced hard; hardbounced; hardbounce; bounced; bounce; rebotado",
            "rebond definitif; unzustellbar; onbestelbaar; odbity; studsad; ハードバウンス",
        ],
    ),
    (
        Verdict::Suppressed(Reason::Complaint),
        &[
            "complained; spam complaint; spam complaints; spam report; spam reports; spam reported; marked as spam; marked spam",
            "reported as spam; reported spam; flagged as spam; als spam markiert; als spam gemeldet; marque comme spam",
            "signale comme spam; marcado como spam; segnalato come spam; gemarkeerd als spam",
        ],
    ),
    (
        Verdict::Suppressed(Reason::Invalid),
        &[
            "invalid email address; invalid email; email invalid; invalid address; bad email; bad address; undeliverable",
        ],
    ),
    (
        Verdict::Suppressed(Reason::Unsubscribe),
        &[
            "unsubscribed; unsubscribe; unsubscription; unsub; opted out; opt out; optout; optedout; abgemeldet; abmeldung",
            "abmeldedatum; abbestellt; ausgetragen; desabonne; desabonnee; desabonnement; desinscrit; desinscrite",
            "desinscription; dado de baja; baja; desuscrito; disiscritto; disiscrizione; descadastrado; descadastro",
            "afgemeld; afmelding; uitgeschreven; uitschrijving; uitschrijfdatum; wypisany; wypisano; wypisania",
            "avregistrerad; avanmald; avprenumererad; afmeldt; frameldt; avmeldt; odhlasen; odhlaseno; отписан; отписался",
            "отписка; 配信停止; 配信停止日; 購読解除; 登録解除; オプトアウト; no marketing; no mailing; no mailings",
            "keine werbung; pas de publicite; pas de pub; sin publicidad; niente pubblicita; geen reclame; ingen reklam",
        ],
    ),
    (
        Verdict::Suppressed(Reason::Manual),
        &[
            "blocklisted; blacklisted; blocked; suppressed; suppressions; suppression; blocklist; blacklist; do not email",
            "do not e mail; donotemail; do not mail; do not contact; email disabled; no email; no emails; no mail; do not allow emails",
            "do not allow email; do not allow bulk emails; do not allow bulk email; do not send; dont email; don t email",
            "do not bulk email; gesperrt; blockiert; keine e mails; keine e mail; keine mails; pas d email; pas d emails",
            "pas de mail; pas de mails; sin correo; sin correos; niente email; nessuna email; geen e mail; geen e mails",
            "geen mail; inga mejl; ingen e mail; bloque; bloqueado; bloccato; geblokkeerd; zablokowany; blockerad; sparrad",
            "blokeret; blokkert; estetty; blokovan; engelli; заблокирован; ブロック",
        ],
    ),
    (
        Verdict::Sendable,
        &[
            "subscribed; opted in; opt in; optin; optedin; accepts marketing; accepts email marketing; accepts email; newsletter",
            "email permission; marketing permission; email consent; marketing consent; allow email; allow emails",
            "receive email; receive emails; receives emails; wants emails; email marketing; abonniert; newsletters",
            "werbeeinwilligung; abonne; suscrito; acepta marketing; boletin; nieuwsbrief; prenumererar; nyhetsbrev",
            "nyhedsbrev; uutiskirje; bulten; newslettera; подписан; рассылка; рассылки; メルマガ; 購読; メール配信",
        ],
    ),
];

/// What a yes says that somebody may get mail, where a word about mail stands beside it: there are consents to other
/// things, and people register for events.
pub(crate) const WITH_MAIL: &[&str] = &[
    "consent; einwilligung; einverstandnis; zustimmung; consentement; consentimiento; consenso; consentimento; toestemming",
    "zgoda; samtycke; samtykke; suostumus; souhlas; onay; согласие; permission; 同意; angemeldet; inscrit; inscrite",
    "iscritto; iscritta; inscrito; inscrita; ingeschreven; aangemeld; zapisany; tilmeldt; pameldt; prihlasen; subscribes",
];

/// Of the phrases above, those that may be said of an account, a parcel or a flat if no word about mail is beside them.
pub(crate) const NOT_MAIL_ALONE: &[&str] = &[
    "bounced; bounce; rebotado; unzustellbar; onbestelbaar; odbity; studsad; undeliverable; invalid address; bad address",
    "baja; blocked; suppressed; suppressions; suppression; blocklist; blacklist; do not contact; do not send; gesperrt",
    "blockiert; bloque; bloqueado; bloccato; geblokkeerd; zablokowany; blockerad; sparrad; blokeret; blokkert; estetty",
    "blokovan; engelli; заблокирован; ブロック; abgemeldet; ausgetragen; uitgeschreven; afgemeld; odhlasen",
];

/// Of those, the words that are other words of another language, such as the Spanish for a block of flats.
pub(crate) const HOMONYMS: &[&str] = &["bloque; baja"];

/// The phrases of a bounce of any kind.
pub(crate) const ANY_BOUNCE: &[&str] = &["bounced; bounce; rebotado; odbity; studsad"];

/// The phrases under which tools count how often it was.
pub(crate) const COUNTED: &[&str] = &[
    "hard bounced; hard bounce; hard bounces; bounced hard; hardbounced; hardbounce; complained; spam complaint",
    "spam complaints; spam report; spam reports; spam reported; unsubscribed",
];

/// Phrases of a bounce that passes.
pub(crate) const SOFT_BOUNCES: &[&str] = &[
    "soft bounced; soft bounce; soft bounces; bounced soft; softbounced; softbounce; softbounces; weicher bounce; rebond mou",
    "rebond temporaire; rebote suave; rimbalzo temporaneo; zachte bounce; mjuk studs; ソフトバウンス",
];

/// Words about mail, that make what stands beside them about mail.
pub(crate) const MAIL: &[&str] = &[
    "email emails mail mails mailing mailings newsletter newsletters marketing subscriber subscribers e mail nieuwsbrief",
    "boletin nyhetsbrev nyhedsbrev uutiskirje bulten рассылка рассылки メルマガ メール mailinglist abonnenten newslettera",
];

/// What stands in the names of columns of states.
pub(crate) const STATES: &[&str] = &[
    "status state abostatus zustand estado statut etat stato situacao situazione stan tila stav durum статус состояние",
    "ステータス 状態 配信状態 배송상태 상태 状态",
];

/// What stands in the names of columns of reasons.
pub(crate) const REASONS: &[&str] = &[
    "reason grund motif raison motivo razon causa reden powod orsak anledning arsag syy duvod neden причина 理由 原因",
];

/// What stands in the names of columns of reasons and of much else.
pub(crate) const KINDS: &[&str] = &["type category classification event typ tipo soort rodzaj tyyppi"];

/// What a column of states or reasons may be about: mail and nothing else.
pub(crate) const ABOUT_MAIL: &[&str] =
    &["suppression bounce unsubscribe unsub optin deliverability abonnenten 配信状態"];

/// Or something that may be paid for.
pub(crate) const ABOUT: &[&str] = &[
    "subscription subscriptions consent block blocklist abo abonnement opt in suscripcion iscrizione assinatura subskrypcji",
];

/// What says no more.
pub(crate) const BESIDE: &[&str] = &[
    "is has was been user contact contacts subscriber member recipient customer from of for to all any the in on at this",
    "um am le la el il em den der die das de del da du des do date datum data fecha dato time timestamp zeit zeitpunkt",
    "email emails mail mails mailing mailings list lists newsletter newsletters marketing promotional communication",
    "communications message messages info information global globally status state flag reason grund motif motivo raison",
    "reden powod value our your we you one sales update updates service address adresse attributes properties fields",
    "permission consent kontakt empfanger y e an a am vom von zum zur fur dem als per via l al alla aux au du van voor dla",
];

/// What turns round what stands beside it.
pub(crate) const NEGATIONS: &[&str] = &[
    "no not non never without off out stop stopped exclude excluded excludes removed remove withdrawn withdraw denied deny",
    "declined refused rejected revoked cancelled canceled deactivated disabled inactive dont kein keine keinen keiner",
    "nicht ohne nie stopp deaktiviert widerrufen abgelehnt verweigert gekundigt ausgeschlossen pas sans aucun aucune jamais",
    "refuse retire annule sin ningun ninguna nunca rechazado cancelado desactivado excluido niente nessun nessuna senza",
    "mai rifiutato revocato disattivato nao sem nenhum nenhuma recusado geen niet zonder uit ingetrokken geweigerd bez brak",
    "ingen inget inga ikke inte ej ei ilman zadny zadne нет не без hayir yok",
];

/// Of those, the ones that may be something else at a name's end: `Newsletter no` may be a number.
pub(crate) const NEGATIONS_BEFORE: &[&str] = &["no non nie ei ej ne не нет out mai uit"];

/// The answers that stand in a name for its cells: `Newsletter (yes/no)`.
pub(crate) const ANSWERS: &[(&str, &str)] = &[
    ("yes", "no"),
    ("y", "n"),
    ("true", "false"),
    ("on", "off"),
    ("ja", "nein"),
    ("j", "n"),
    ("oui", "non"),
    ("si", "no"),
    ("sim", "nao"),
    ("ja", "nee"),
    ("ja", "nej"),
    ("ja", "nei"),
    ("tak", "nie"),
    ("kylla", "ei"),
    ("ano", "ne"),
    ("evet", "hayir"),
    ("да", "нет"),
];

/// What stands in the names of columns about something else than mail to people.
pub(crate) const OTHER_THINGS: &[&str] = &[
    "sms text mms rcs phone mobile tel telephone telefon telefono telefone telefoon handy puhelin телефон 電話 push whatsapp",
    "telegram facebook messenger instagram twitter linkedin youtube tiktok viber line wechat signal slack discord skype",
    "podcast podcasts webinar webinars webinaire call calls anruf anrufe anrufen telefonisch appel appels llamada llamadas",
    "chiamata chiamate ligacao ligacoes bellen звонок звонки voice fax post postal brief briefe letter letters courrier",
    "correspondence flyer catalog catalogue katalog order orders bestellung bestell pedido commande ordine payment payments",
    "zahlung pago paiement pagamento betaling invoice rechnung shipping parcel package paket colis vat tax ticket deal lead",
    "lifecycle fulfillment fulfilment financial refund kyc login device stripe webhook campaign photo photos image images",
    "cookie cookies medical parental gdpr privacy terms vaccination contract employment employee vertrag smartphone",
];
