//! The words by which files say whether and why an address gets no mail: a table of them.
//!
//! This is data: another word is another one in a line. Each line is a language's, its words between semicolons, as
//! [`plain`](crate::fold::plain) makes them; spaces in them do not matter. What is not here says nothing: a word that a
//! list only guesses at, such as `engaged` or `awaiting confirmation`, must stay unknown.

use crate::reason::{Reason, Verdict};

/// The words, by what they say.
pub(crate) const WORDS: &[(Verdict, &[&str])] = &[
    (Verdict::Suppressed(Reason::Complaint), COMPLAINT),
    (Verdict::Suppressed(Reason::HardBounce), HARD_BOUNCE),
    (Verdict::Suppressed(Reason::Invalid), INVALID),
    (Verdict::Suppressed(Reason::Unsubscribe), UNSUBSCRIBE),
    (Verdict::Suppressed(Reason::Manual), MANUAL),
    (Verdict::Sendable, SENDABLE),
];

const COMPLAINT: &[&str] = &[
    "complaint; complaints; complained; spam; spam complaint; spam complaints; spam report; spam reports; spam reported",
    "reported spam; reported as spam; marked spam; marked as spam; flagged as spam; abuse; abuse report; junk; fbl",
    "beschwerde; spambeschwerde; als spam markiert; als spam gemeldet; spam gemeldet",
    "plainte; plainte spam; plainte pour spam; signale comme spam; marque comme spam",
    "queja; queja de spam; queja por spam; marcado como spam; reportado como spam; denuncia de spam",
    "segnalazione spam; segnalazione di spam; segnalato come spam; contrassegnato come spam",
    "reclamacao; reclamacao de spam; denunciado como spam",
    "klacht; spamklacht; gemarkeerd als spam; gemeld als spam",
    "skarga; skarga na spam; zgloszono jako spam; oznaczono jako spam",
    "klagomal; markerad som spam; anmald som spam; markeret som spam; merket som spam; spamklage",
    "roskapostivalitus; merkitty roskapostiksi",
    "stiznost; oznaceno jako spam; stiznost na spam",
    "sikayet; spam sikayeti; spam olarak isaretlendi",
    "жалоба; жалоба на спам; спам; пометил как спам",
    "苦情; 迷惑メール; 迷惑メール報告; スパム; スパム報告",
];

const HARD_BOUNCE: &[&str] = &[
    "hard bounce; hard bounces; hard bounced; bounced hard; hard; bounce; bounces; bounced; bounce rule; cleaned",
    "hard fail; hard failed; hard failure; permanent; permanent bounce; permanent fail; permanent failure; permfail",
    "user unknown; unknown user; mailbox unknown; mailbox not found; no such user; mailbox does not exist",
    "harter bounce; unzustellbar; dauerhaft unzustellbar; nicht zustellbar; rucklaufer",
    "rebond dur; rebond definitif; rebond permanent; npai",
    "rebote; rebote duro; rebote permanente; rebotado",
    "rimbalzo; rimbalzo permanente; rimbalzato",
    "rejeicao permanente; devolucao permanente; devolvido",
    "harde bounce; onbestelbaar; gebounced; gebouncet",
    "twarde odbicie; trwale odbicie; odbicie; odbity; odbite",
    "hard studs; hard studsning; permanent studs; studsad; studsat; hardt bounce",
    "kova palautus; palautunut; pysyva virhe",
    "tvrdy odraz; nedorucitelne; nedorucitelny; trvale nedorucitelne",
    "sert geri donus; kalici geri donus; kalici hata",
    "жесткии возврат; жесткии отказ; жесткая ошибка; постоянная ошибка",
    "ハードバウンス; バウンス; 恒久的エラー; 不達",
];

const INVALID: &[&str] = &[
    "invalid; invalid email; invalid emails; invalid email address; invalid address; invalid recipient; invalid mailbox; email invalid",
    "bad address; bad email; bad email address; undeliverable; not deliverable; malformed",
    "ungultig; ungultige adresse; ungultige e mail; ungultige e mail adresse; falsche adresse",
    "invalide; adresse invalide; email invalide; adresse e mail invalide",
    "invalido; invalida; no valido; no valida; correo invalido; correo no valido; direccion invalida; email no valido",
    "non valido; non valida; indirizzo non valido; email non valida",
    "email invalido; endereco invalido",
    "ongeldig; ongeldig adres; ongeldig e mailadres",
    "nieprawidlowy; nieprawidlowy adres; nieprawidlowy email; niepoprawny; bledny adres",
    "ogiltig; ogiltig adress; ogiltig e post; ugyldig; ugyldig adresse; ugyldig email; ugyldig e post",
    "virheellinen; virheellinen osoite; virheellinen sahkoposti",
    "neplatny; neplatna; neplatne; neplatny email; neplatna adresa",
    "gecersiz; gecersiz adres; gecersiz e posta",
    "недеиствителен; недеиствительныи; недеиствительныи адрес; неверныи адрес",
    "無効; 無効なアドレス; 無効なメールアドレス",
];

const UNSUBSCRIBE: &[&str] = &[
    "unsubscribe; unsubscribes; unsubscribed; unsubscription; unsub; unsubs; unsubbed; removed; removed by request",
    "list unsubscribe; unsubscribe link; global unsubscribe; globally unsubscribed; unsubscribed globally",
    "unsubscribed by user; user unsubscribed; unsubscribed by admin; unsubscribed via email; unsubscribed via link",
    "opt out; opt outs; opted out; email opt out; consent withdrawn; consent revoked; withdrew consent; left list",
    "abgemeldet; abmeldung; ausgetragen; abbestellt; newsletter abbestellt; widerspruch; widersprochen; widerrufen",
    "desabonne; desabonnee; desabonnement; desinscrit; desinscrite; desinscription",
    "baja; bajas; de baja; dado de baja; dada de baja; se dio de baja; desuscrito; desuscrita; suscripcion cancelada",
    "disiscritto; disiscritta; disiscritti; disiscrizione; iscrizione annullata; disabbonato",
    "descadastrado; descadastrada; descadastramento; desinscrito; desinscrita; inscricao cancelada; cancelou inscricao",
    "afgemeld; afmelding; uitgeschreven; uitschrijving",
    "wypisany; wypisana; wypisano; wypis; rezygnacja; wyrejestrowany; zrezygnowal z subskrypcji",
    "avregistrerad; avanmald; avprenumererad; avprenumererat; afmeldt; frameldt; framelding; avmeldt; avmelding",
    "peruuttanut tilauksen; perunut tilauksen; tilaus peruttu; poistunut listalta",
    "odhlasen; odhlasena; odhlaseno; odhlaseny; odhlaseni",
    "abonelikten cikti; abonelikten ayrildi; abonelikten cikmis; abonelik iptal edildi; listeden cikti",
    "отписан; отписана; отписано; отписался; отписалась; отписка",
    "配信停止; 配信停止済み; 登録解除; 登録解除済み; 購読解除; 購読解除済み; オプトアウト; 受信拒否; 配信拒否; 配信解除",
    "退订; 已退订; 수신거부; 구독취소",
];

const MANUAL: &[&str] = &[
    "manual; manually added; manually blocked; manually suppressed; manual suppression; added manually; banned",
    "blocked; blocklist; blocklisted; blacklist; blacklisted; denylist; denylisted; admin blocked; blocked by admin",
    "suppressed; user suppressed; admin suppressed; globally suppressed; excluded; do not email; do not contact",
    "do not mail; never email",
    "gesperrt; blockiert; manuell; manuell gesperrt; manuell hinzugefugt; ausgeschlossen; nicht anschreiben",
    "bloque; bloquee; liste noire; sur liste noire; ajoute manuellement; ne pas contacter; exclu",
    "bloqueado; bloqueada; lista negra; en lista negra; anadido manualmente; suprimido; excluido; no contactar",
    "bloccato; bloccata; lista nera; in lista nera; escluso; non contattare; nao contatar; lista de bloqueio",
    "geblokkeerd; zwarte lijst; op zwarte lijst; uitgesloten; niet mailen",
    "zablokowany; zablokowana; zablokowano; czarna lista; na czarnej liscie; wykluczony",
    "blockerad; sparrad; svartlistad; blokeret; sortlistet; spaerret; blokkert; svartelistet; sperret",
    "estetty; estolista; mustalla listalla",
    "blokovan; blokovany; blokovano; zablokovan; cerna listina; na cerne listine",
    "engellendi; engelli; engellenmis; kara liste; kara listede",
    "заблокирован; заблокирована; черныи список; в черном списке; добавлен вручную",
    "ブロック; ブロック済み; ブラックリスト; 除外; 配信除外",
];

const SENDABLE: &[&str] = &[
    "active; subscribed; confirmed; unconfirmed; pending; inactive; cold; never subscribed; non subscribed",
    "not subscribed; transactional; valid; deliverable; delivered; sendable; enabled; archived; whitelisted; allowlisted",
    "opt in; opted in; double opt in; double opted in; single opt in; confirmed opt in; not blocked; not suppressed",
    "soft; soft bounce; soft bounces; soft bounced; bounced soft; soft fail; soft failure; transient; temporary; deferred",
    "aktiv; inaktiv; angemeldet; eingetragen; abonniert; bestatigt; unbestatigt; ausstehend; nicht angemeldet",
    "nicht abonniert; nie abonniert; gultig; zustellbar; zugestellt; weicher bounce",
    "actif; inactif; abonne; abonnee; inscrit; inscrite; confirme; non confirme; en attente; non abonne",
    "jamais abonne; valide; rebond mou; rebond leger; rebond temporaire",
    "activo; activa; inactivo; inactiva; suscrito; suscrita; confirmado; no confirmado; sin confirmar; pendiente",
    "no suscrito; nunca suscrito; valido; rebote suave; rebote blando; rebote temporal",
    "attivo; attiva; inattivo; iscritto; iscritta; confermato; non confermato; in attesa; non iscritto; mai iscritto",
    "rimbalzo temporaneo",
    "ativo; ativa; inativo; inscrito; inscrita; nao confirmado; pendente; nao inscrito; nunca inscrito",
    "rejeicao temporaria",
    "actief; inactief; aangemeld; ingeschreven; geabonneerd; bevestigd; niet bevestigd; onbevestigd; in afwachting",
    "niet aangemeld; niet ingeschreven; nooit ingeschreven; geldig; zachte bounce",
    "aktywny; aktywna; nieaktywny; zapisany; zapisana; potwierdzony; potwierdzona; niepotwierdzony; oczekujacy",
    "miekkie odbicie",
    "prenumererar; prenumerant; bekraftad; obekraftad; vantande; giltig; mjuk studs; tilmeldt; bekraeftet; ubekraeftet",
    "afventer; pameldt; abonnerer; bekreftet; ubekreftet",
    "aktiivinen; ei aktiivinen; passiivinen; tilannut; tilaaja; vahvistettu; vahvistamaton; odottaa",
    "aktivni; neaktivni; prihlasen; prihlasena; potvrzen; potvrzeny; nepotvrzen; nepotvrzeny; cekajici",
    "aktif; pasif; abone; abone oldu; onayli; onaylandi; onaysiz; beklemede",
    "активен; активна; активныи; неактивен; неактивныи; подписан; подписана; подтвержден; не подтвержден; ожидает",
    "有効; アクティブ; 非アクティブ; 購読中; 登録済み; 登録中; 配信中; 確認済み; 未確認; 未登録; ソフトバウンス",
];

/// Words that mean other things too, such as `baja` (low) and `removed`: only a column that is about mail says by them why
/// somebody gets none.
pub(crate) const WEAK: &[&str] = &[
    "spam; abuse; abuse report; junk; fbl; спам; スパム; 迷惑メール",
    "hard; permanent; permanent fail; unzustellbar; dauerhaft unzustellbar; nicht zustellbar; rucklaufer; devolvido",
    "onbestelbaar; palautunut; pysyva virhe; nedorucitelne; nedorucitelny; trvale nedorucitelne; kalici hata",
    "жесткая ошибка; постоянная ошибка; 恒久的エラー; 不達",
    "invalid; invalid address; bad address; undeliverable; not deliverable; malformed; ungultig; ungultige adresse",
    "falsche adresse; invalide; adresse invalide; invalido; invalida; no valido; no valida; direccion invalida",
    "non valido; non valida; indirizzo non valido; endereco invalido; ongeldig; ongeldig adres; nieprawidlowy",
    "nieprawidlowy adres; niepoprawny; bledny adres; ogiltig; ogiltig adress; ugyldig; ugyldig adresse; virheellinen",
    "virheellinen osoite; neplatny; neplatna; neplatne; neplatna adresa; gecersiz; gecersiz adres; недеиствителен",
    "недеиствительныи; недеиствительныи адрес; неверныи адрес; 無効; 無効なアドレス",
    "removed; removed by request; baja; bajas; de baja; widerrufen; wypis; rezygnacja; 登録解除; 登録解除済み",
    "manual; manually added; added manually; manually blocked; banned; blocked; admin blocked; blocked by admin; excluded",
    "gesperrt; blockiert; manuell; manuell gesperrt; manuell hinzugefugt; ausgeschlossen; bloque; bloquee",
    "ajoute manuellement; exclu; bloqueado; bloqueada; anadido manualmente; suprimido; excluido; bloccato; bloccata",
    "escluso; geblokkeerd; uitgesloten; zablokowany; zablokowana; zablokowano; wykluczony; blockerad; sparrad; blokeret",
    "spaerret; blokkert; sperret; estetty; blokovan; blokovany; blokovano; zablokovan; engellendi; engelli; engellenmis",
    "заблокирован; заблокирована; добавлен вручную; ブロック; ブロック済み; 除外",
];

/// Words that are about mail in a column of states or reasons, and may be about anything in another.
pub(crate) const MEDIUM: &[&str] = &[
    "complaint; complaints; complained; beschwerde; plainte; queja; reclamacao; klacht; skarga; klagomal; stiznost; sikayet",
    "жалоба; 苦情; cleaned; hard fail; hard failed; hard failure; permanent failure; permfail; user unknown; unknown user",
    "rebote; rebotado; rimbalzo; rimbalzato; odbicie; odbity; odbite; studsad; studsat",
    "opt out; opt outs; opted out; consent withdrawn; consent revoked; withdrew consent; widerspruch; widersprochen",
    "wyrejestrowany; suppressed; blacklist; blacklisted; denylist; denylisted; do not contact; nicht anschreiben",
    "liste noire; sur liste noire; ne pas contacter; lista negra; en lista negra; no contactar; lista nera; in lista nera",
    "non contattare; nao contatar; zwarte lijst; op zwarte lijst; czarna lista; na czarnej liscie; svartlistad",
    "sortlistet; svartelistet; estolista; mustalla listalla; cerna listina; na cerne listine; kara liste; kara listede",
    "черныи список; в черном списке; ブラックリスト; オプトアウト",
    "opt in; opted in; double opt in; double opted in; single opt in; confirmed opt in",
];

/// Words of a bounce that do not say of which kind: what says that it passes counts more.
pub(crate) const BOUNCED: &[&str] = &[
    "bounce; bounces; bounced; rucklaufer; rebote; rebotado; rimbalzo; rimbalzato; devolvido; gebounced; gebouncet",
    "odbicie; odbity; odbite; studsad; studsat; palautunut; バウンス; 不達",
];

/// Words of a trouble that passes.
pub(crate) const PASSING: &[&str] = &[
    "soft; soft bounce; soft bounces; soft bounced; bounced soft; soft fail; soft failure; transient; temporary; deferred",
    "weicher bounce; rebond mou; rebond leger; rebond temporaire; rebote suave; rebote blando; rebote temporal",
    "rimbalzo temporaneo; rejeicao temporaria; zachte bounce; miekkie odbicie; mjuk studs; ソフトバウンス",
];

/// What stands in longer texts about a trouble that passes.
pub(crate) const PASSING_PHRASES: &[&str] = &[
    "mailbox full; mailbox is full; inbox full; over quota; overquota; quota exceeded; exceeded quota; exceeds quota",
    "soft bounce; temporar; temporaire; transient; greylist; graylist; try again; try later; deferred; throttl; rate limit",
    "timed out; timeout; out of office; auto reply; auto responder; autoresponder; vacation; undetermined",
    "postfach voll; postfach ist voll; boite pleine; boite aux lettres pleine; buzon lleno; casella piena; caixa cheia",
];

/// What a cell says of who gets mail, whatever the name of its column.
pub(crate) const ALLOWED: &[&str] = &[
    "allow; allowed; granted; given; accepted; agreed; permitted; express; explicit; implied; erlaubt; erteilt; accorde",
    "permitido; concesso; toegestaan",
];

/// The same of who gets none.
pub(crate) const REFUSED: &[&str] = &[
    "do not allow; don t allow; not allowed; disallowed; denied; refused; declined; rejected; withdrawn; revoked; stopped",
    "disabled; deactivated; no consent; no permission; not granted; not given; abgelehnt; verweigert; nicht erlaubt",
    "refuse; retire; rechazado; denegado; rifiutato; negato; recusado; geweigerd; ingetrokken; odmowa; avbojd; afvist",
];

/// Words of subscriptions that are paid for as well. They say that somebody has unsubscribed only where other words of
/// their column are about mail.
pub(crate) const ENDED: &[&str] = &[
    "cancelled; canceled; gekundigt; annule; annulee; cancelado; cancelada; cancellato; cancellata; geannuleerd",
    "anulowany; anulowana; avbruten; annulleret; kansellert; peruttu; zrusen; iptal; отменен; キャンセル",
];

/// What words have in them that say that somebody may get mail, and that are about mail: `active` may be said of an
/// account, `subscribed` not.
pub(crate) const ABOUT_MAIL: &[&str] = &[
    "subscri suscri iscri inscri abonn abone bounc opt angemeldet rebond rebote rimbalz ingeschreven aangemeld zapisan",
    "odbi prenumer studs tilmeldt pameldt tilau tilaa prihlas подпис 購読 配信 バウンス",
];

/// A yes in a column of yes and no.
pub(crate) const YES: &[&str] = &[
    "yes; true; 1; y; t; x; on; ja; j; wahr; oui; o; vrai; si; s; verdadero; vero; sim; verdadeiro; waar; tak; prawda",
    "sant; sand; sann; kylla; tosi; ano; pravda; evet; dogru; да; истина; はい; 有; ✓; ✔; ☑; ○; 是; 예",
    "yes please; ja gerne; ja bitte; oui merci; oui volontiers; si por favor; si gracias; si grazie; sim por favor; ja graag",
    "ja tack; ja tak; ja takk; kylla kiitos; ano prosim; tak prosze; да пожалуиста",
];

/// A no in a column of yes and no.
pub(crate) const NO: &[&str] = &[
    "no; false; 0; n; f; off; nein; falsch; non; faux; falso; nao; nee; onwaar; nie; falsz; nej; falskt; falsk; nei",
    "usann; ei; epatosi; ne; nepravda; hayir; yanlis; нет; ложь; いいえ; 無; ✗; ✘; ☐; 否; 아니요",
    "no thanks; no thank you; nein danke; non merci; no gracias; no grazie; nao obrigado; nao obrigada; nee bedankt",
    "nee dank je; nej tack; nej tak; nei takk; ei kiitos; ne dekuji; nie dziekuje; hayir tesekkurler; нет спасибо",
];

/// What stands in a cell that says nothing.
pub(crate) const NOTHING: &[&str] =
    &["null; none; nil; n a; nan; nat; never; undefined; empty; blank; 0000 00 00; 0000 00 00 00 00 00; 00 00 0000"];
