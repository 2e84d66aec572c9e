//! Columns that are about mail, in names and words that turn round, and of tools that write their cells in their own way.

use super::Shape;

pub(super) const SHAPES: &[Shape] = &[
    ("no newsletter", "email,first_name,No newsletter\na@x.example,A,yes\nb@x.example,B,no\n", "unsubscribe skipped"),
    (
        "no newsletter in digits",
        "email,first_name,no_newsletter\na@x.example,A,1\nb@x.example,B,0\n",
        "unsubscribe skipped",
    ),
    ("German", "email,Vorname,Kein Newsletter\na@x.example,A,ja\nb@x.example,B,nein\n", "unsubscribe skipped"),
    ("French", "email,Prénom,Pas de newsletter\na@x.example,A,oui\nb@x.example,B,non\n", "unsubscribe skipped"),
    ("Spanish", "email,Nombre,Sin newsletter\na@x.example,A,sí\nb@x.example,B,no\n", "unsubscribe skipped"),
    ("Italian", "email,Nome,Niente newsletter\na@x.example,A,sì\nb@x.example,B,no\n", "unsubscribe skipped"),
    ("Portuguese", "email,Nome,Sem newsletter\na@x.example,A,sim\nb@x.example,B,não\n", "unsubscribe skipped"),
    ("Dutch", "email,Naam,Geen nieuwsbrief\na@x.example,A,ja\nb@x.example,B,nee\n", "unsubscribe skipped"),
    ("Swedish", "email,Namn,Inget nyhetsbrev\na@x.example,A,ja\nb@x.example,B,nej\n", "unsubscribe skipped"),
    ("not subscribed", "email,name,Not subscribed\na@x.example,A,yes\nb@x.example,B,no\n", "unsubscribe skipped"),
    ("not opted in", "email,name,Not opted in\na@x.example,A,true\nb@x.example,B,false\n", "unsubscribe skipped"),
    ("off", "email,name,Newsletter off\na@x.example,A,x\nb@x.example,B,\n", "unsubscribe skipped"),
    ("deactivated", "email,name,Newsletter deactivated\na@x.example,A,1\nb@x.example,B,0\n", "unsubscribe skipped"),
    ("stop", "email,name,Stop newsletter\na@x.example,A,yes\nb@x.example,B,no\n", "unsubscribe skipped"),
    ("exclude", "email,name,Exclude from newsletter\na@x.example,A,yes\nb@x.example,B,no\n", "unsubscribe skipped"),
    (
        "removed",
        "email,name,Removed from newsletter\na@x.example,A,2024-01-02\nb@x.example,B,\n",
        "unsubscribe skipped",
    ),
    ("withdrawn", "email,name,Email consent withdrawn\na@x.example,A,yes\nb@x.example,B,no\n", "unsubscribe skipped"),
    ("denied", "email,name,Email permission denied\na@x.example,A,yes\nb@x.example,B,no\n", "unsubscribe skipped"),
    ("revoked", "email,name,Email consent revoked\na@x.example,A,2024-01-01\nb@x.example,B,\n", "unsubscribe skipped"),
    ("turned round twice", "email,name,Not unsubscribed\na@x.example,A,yes\nb@x.example,B,no\n", "reason_needed"),
    ("a number of newsletters", "email,name,Newsletter no.\na@x.example,A,1\nb@x.example,B,2\n", "reason_needed"),
    (
        "cells in the name",
        "email,name,Newsletter (yes/no)\na@x.example,A,no\nb@x.example,B,yes\n",
        "unsubscribe skipped",
    ),
    ("no, thanks", "email,Name,Newsletter\na@x.example,A,Nein danke\nb@x.example,B,Ja gerne\n", "unsubscribe skipped"),
    ("stopped", "email,Name,Newsletter\na@x.example,A,stopped\nb@x.example,B,yes\n", "unsubscribe skipped"),
    (
        "a word that nobody knows under newsletter",
        "email,Name,Newsletter\na@x.example,A,perhaps\nb@x.example,B,yes\n",
        "unclear skipped",
    ),
    (
        "consent to mail",
        "email,Name,Email consent\na@x.example,A,withdrawn\nb@x.example,B,granted\nc@x.example,C,no\n",
        "unsubscribe skipped unsubscribe",
    ),
    (
        "Intercom",
        "Name,Email,Unsubscribed from Emails,Marked email as spam,Has hard bounced,Signed up\n\
         A,a@x.example,false,true,false,2023\nB,b@x.example,true,false,false,2023\nC,c@x.example,false,false,true,2023\n\
         D,d@x.example,false,false,false,2023\n",
        "complaint unsubscribe hard_bounce skipped",
    ),
    (
        "Postmark bounces",
        "RecordType,Type,Email,BouncedAt\nBounce,SoftBounce,a@x.example,2024-01-02T10:00:00Z\n\
         Bounce,HardBounce,b@x.example,2024-01-02T10:00:00Z\nBounce,AutoResponder,c@x.example,2024-01-02T10:00:00Z\n\
         Bounce,SpamComplaint,d@x.example,2024-01-02T10:00:00Z\nBounce,Blocked,e@x.example,2024-01-02T10:00:00Z\n",
        "skipped hard_bounce skipped complaint skipped",
    ),
    (
        "Amazon SES notifications",
        "{\"notificationType\":\"Bounce\",\"bounceType\":\"Transient\",\"email\":\"a@x.example\"}\n\
         {\"notificationType\":\"Bounce\",\"bounceType\":\"Permanent\",\"email\":\"b@x.example\"}\n\
         {\"notificationType\":\"Complaint\",\"bounceType\":\"\",\"email\":\"c@x.example\"}\n",
        "skipped hard_bounce complaint",
    ),
    (
        "bounces of both kinds",
        "email;bounce type;bounce reason;date\na@x.example;soft;mailbox full;2024-01-02\n\
         b@x.example;hard;no such user;2024-01-02\nc@x.example;;mailbox is full, try later;2024-01-02\n",
        "skipped hard_bounce skipped",
    ),
    (
        "SendGrid bounces with a type",
        "status,reason,email,created,type\n4.2.2,452 full,a@x.example,1443651125,bounce\n\
         5.1.1,550 5.1.1 unknown,b@x.example,1443651125,bounce\n",
        "skipped hard_bounce",
    ),
    (
        "a date and a kind",
        "email,bounced_at,bounce_type\na@x.example,2024-01-02,soft\nb@x.example,2024-01-02,hard\nc@x.example,2024-01-02,\n",
        "skipped hard_bounce hard_bounce",
    ),
    (
        "events",
        "email,event\na@x.example,bounce\nb@x.example,delivered\nc@x.example,spamreport\nd@x.example,open\n",
        "hard_bounce skipped complaint unclear",
    ),
    (
        "what mail servers replied",
        "recipient,bounced_at,diagnostic\na@x.example,2024-01-01,smtp; 452 4.2.2 mailbox full\n\
         b@x.example,2024-01-01,smtp; 550 5.1.1 no such user\n",
        "skipped hard_bounce",
    ),
    (
        "a bounce and whether it was soft",
        "email,name,bounced,soft_bounced\na@x.example,A,true,true\nb@x.example,B,true,false\nc@x.example,C,false,false\n",
        "skipped hard_bounce skipped",
    ),
    (
        "which bounce it was",
        "email,name,Bounced\na@x.example,A,Hard\nb@x.example,B,Soft\nc@x.example,C,\n",
        "hard_bounce skipped skipped",
    ),
    ("soft bounces alone", "email,name,Soft bounces\na@x.example,A,2\nb@x.example,B,0\n", "reason_needed"),
    ("marketing", "email,name,Marketing\na@x.example,A,Opted out\nb@x.example,B,Opted in\n", "unsubscribe skipped"),
    (
        "Salesforce, with fax and calls",
        "Email,Name,HasOptedOutOfEmail,HasOptedOutOfFax,DoNotCall\na@x.example,A,0,1,1\nb@x.example,B,1,0,0\n",
        "skipped unsubscribe",
    ),
    (
        "pandas",
        "email,name,unsubscribed\na@x.example,A,1.0\nb@x.example,B,0.0\nc@x.example,C,nan\nd@x.example,D,NaN\n",
        "unsubscribe skipped skipped skipped",
    ),
    ("Access", "email,name,unsubscribed\na@x.example,A,-1\nb@x.example,B,0\n", "unsubscribe skipped"),
    (
        "pandas and who wants mail",
        "email,name,subscribed\na@x.example,A,1.0\nb@x.example,B,0.0\n",
        "skipped unsubscribe",
    ),
    ("MySQL and who wants mail", "email,name,subscribed\na@x.example,A,1\nb@x.example,B,\\N\n", "skipped skipped"),
    ("phpList", "email,name,Is this subscriber blacklisted\na@x.example,A,1\nb@x.example,B,0\n", "manual skipped"),
    (
        "Dynamics in words",
        "Full Name,Email,Do not allow Emails\nA,a@x.example,Do Not Allow\nB,b@x.example,Allow\n",
        "manual skipped",
    ),
    (
        "weak words beside strong ones",
        "email,name,status\na@x.example,A,removed\nb@x.example,B,unsubscribed\nc@x.example,C,spam\nd@x.example,D,invalid\n",
        "unsubscribe unsubscribe complaint invalid",
    ),
    ("weak words of mail", "email,name,Email status\na@x.example,A,invalid\nb@x.example,B,valid\n", "invalid skipped"),
    (
        "weak words of a bounce",
        "email,name,Bounce type\na@x.example,A,Permanent\nb@x.example,B,Transient\n",
        "hard_bounce skipped",
    ),
    (
        "weak words in a list of reasons",
        "email,reason\na@x.example,manual\nb@x.example,spam\nc@x.example,removed\n",
        "manual complaint unsubscribe",
    ),
    ("weak words of a status alone", "email,status\na@x.example,removed\nb@x.example,blocked\n", "unclear unclear"),
    ("a reason that is strong", "email,name,reason\na@x.example,A,Beschwerde\nb@x.example,B,\n", "complaint unclear"),
    (
        "Spanish that is plain",
        "Email,Nombre,Estado\na@x.example,A,Baja\nb@x.example,B,Suscrito\n",
        "unsubscribe skipped",
    ),
    (
        "WhatsApp beside mail",
        "Email,Name,Email opt-out,WhatsApp opt-out\na@x.example,A,no,yes\nb@x.example,B,yes,no\n",
        "skipped unsubscribe",
    ),
    (
        "consent in doubt beside what is plain",
        "Email,Name,Consent,Unsubscribed\na@x.example,A,no,\nb@x.example,B,yes,yes\n",
        "skipped unsubscribe",
    ),
];
