//! Files in other languages than English.

use super::Shape;

pub(super) const SHAPES: &[Shape] = &[
    (
        "German, and who looks after the customer",
        "Kundennr;Zuständig;E-Mail-Adresse;Grund\n1;shop@my.example;a@x.example;Beschwerde\n2;shop@my.example;b@x.example;abgemeldet\n",
        "complaint unsubscribe",
    ),
    (
        "German newsletter",
        "Vorname;Nachname;E-Mail;Status\nA;L;a@x.example;Aktiv\nB;L;b@x.example;Abgemeldet\nC;L;c@x.example;Unzustellbar\nD;L;d@x.example;Stammkunde\n",
        "skipped unsubscribe hard_bounce unclear",
    ),
    (
        "German yes and no",
        "E-Mail;Name;Newsletter abonniert\na@x.example;A;Ja\nb@x.example;B;Nein\nc@x.example;C;\n",
        "skipped unsubscribe skipped",
    ),
    ("German Excel", "Mailadresse;Abgemeldet\na@x.example;WAHR\nb@x.example;FALSCH\n", "unsubscribe skipped"),
    ("German customers", "Kundennummer;Firma;Ort;E-Mail\n17;Lind GmbH;Ulm;a@x.example\n", "reason_needed"),
    (
        "French",
        "Adresse e-mail;Prénom;Statut\na@x.example;A;Désabonné\nb@x.example;B;Abonné\nc@x.example;C;Plainte\nd@x.example;D;Inconnu\n",
        "unsubscribe skipped complaint unclear",
    ),
    ("French yes and no", "Courriel;Nom;Désinscrit\na@x.example;A;oui\nb@x.example;B;non\n", "unsubscribe skipped"),
    (
        "Spanish",
        "Correo electrónico,Nombre,Estado\na@x.example,A,Dado de baja\nb@x.example,B,Suscrito\nc@x.example,C,Rebotado\nd@x.example,D,No suscrito\n",
        "unsubscribe skipped hard_bounce skipped",
    ),
    ("Spanish dates", "Correo,Nombre,Fecha de baja\na@x.example,A,02/01/2024\nb@x.example,B,\n", "unsubscribe skipped"),
    (
        "Italian",
        "Indirizzo email;Nome;Stato\na@x.example;A;Disiscritto\nb@x.example;B;Iscritto\n",
        "unsubscribe skipped",
    ),
    (
        "Portuguese",
        "Endereço de e-mail;Nome;Situação\na@x.example;A;Descadastrado\nb@x.example;B;Ativo\n",
        "unsubscribe skipped",
    ),
    (
        "Dutch",
        "E-mailadres;Voornaam;Status\na@x.example;A;Uitgeschreven\nb@x.example;B;Ingeschreven\n",
        "unsubscribe skipped",
    ),
    ("Dutch yes and no", "E-mail;Naam;Nieuwsbrief\na@x.example;A;ja\nb@x.example;B;nee\n", "skipped unsubscribe"),
    (
        "Polish",
        "Adres e-mail;Imię;Status\na@x.example;A;Wypisany\nb@x.example;B;Aktywny\nc@x.example;C;Zablokowany\n",
        "unsubscribe skipped manual",
    ),
    (
        "Swedish",
        "E-postadress;Namn;Status\na@x.example;A;Avregistrerad\nb@x.example;B;Prenumererar\n",
        "unsubscribe skipped",
    ),
    ("Danish", "E-mail;Navn;Status\na@x.example;A;Afmeldt\nb@x.example;B;Tilmeldt\n", "unsubscribe skipped"),
    ("Norwegian", "E-post;Navn;Status\na@x.example;A;Avmeldt\nb@x.example;B;Påmeldt\n", "unsubscribe skipped"),
    ("Finnish", "Sähköposti;Nimi;Tila\na@x.example;A;Estetty\nb@x.example;B;Tilaaja\n", "manual skipped"),
    ("Czech", "E-mail;Jméno;Stav\na@x.example;A;Odhlášen\nb@x.example;B;Přihlášen\n", "unsubscribe skipped"),
    (
        "Turkish",
        "E-posta adresi;Ad;Durum\na@x.example;A;Abonelikten çıktı\nb@x.example;B;Abone\n",
        "unsubscribe skipped",
    ),
    (
        "Russian",
        "Электронная почта;Имя;Статус\na@x.example;А;Отписан\nb@x.example;Б;Подписан\nc@x.example;В;Жалоба на спам\n",
        "unsubscribe skipped complaint",
    ),
    (
        "Japanese",
        "メールアドレス,名前,ステータス\na@x.example,A,配信停止\nb@x.example,B,購読中\nc@x.example,C,不達\n",
        "unsubscribe skipped hard_bounce",
    ),
    (
        "a status told by its cells alone",
        "E-Mail;Firma;Rundbrief\na@x.example;A;abgemeldet\nb@x.example;B;angemeldet\n",
        "unsubscribe skipped",
    ),
];
