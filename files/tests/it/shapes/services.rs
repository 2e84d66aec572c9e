//! Mail services and their lists of those who get no mail.

use super::Shape;

pub(super) const SHAPES: &[Shape] = &[
    (
        "SendGrid bounces",
        "status,reason,email,created\n5.1.1,550 no such user,a@x.example,1443651125\n4.2.2,full,b@x.example,1443651126\n",
        "hard_bounce skipped",
    ),
    ("SendGrid unsubscribes", "email,created\na@x.example,1443651125\n", "unsubscribe"),
    ("SendGrid spam reports", "email,ip,created\na@x.example,192.0.2.1,1443651125\n", "complaint"),
    ("a sign-up list like SendGrid's", "email,ip,created\na@x.example,192.0.2.1,2024-01-02\n", "reason_needed"),
    ("a list of contacts like SendGrid's", "email,created\na@x.example,2024-01-02 10:00\n", "reason_needed"),
    (
        "SendGrid's columns in a list of reasons",
        "email,reason,created\na@x.example,unsubscribed,2024-01-02\nb@x.example,bounced,2024-01-03\n",
        "unsubscribe hard_bounce",
    ),
    (
        "SparkPost CSV",
        "recipient,type,source,description,created,updated\n\
         a@x.example,transactional,Bounce Rule,550 5.1.1 unknown,2025-03-04T10:11:12Z,2025-03-04T10:11:12Z\n\
         b@x.example,non_transactional,Spam Complaint,,2025-03-04T10:11:12Z,\n\
         c@x.example,non_transactional,List Unsubscribe,,,\nd@x.example,transactional,Unsubscribe Link,,,\n\
         e@x.example,transactional,Manually Added,,,\nf@x.example,transactional,Compliance,,,\n",
        "hard_bounce complaint unsubscribe unsubscribe manual manual",
    ),
    (
        "SparkPost API",
        "{\"results\":[{\"recipient\":\"a@x.example\",\"type\":\"transactional\",\"source\":\"Bounce Rule\",\"description\":\"550\",\
         \"created\":\"2025-03-04T10:11:12+00:00\",\"updated\":\"2025-03-04T10:11:12+00:00\",\"transactional\":true},\
         {\"recipient\":\"b@x.example\",\"type\":\"non_transactional\",\"source\":\"List Unsubscribe\",\"description\":\"\",\
         \"created\":\"2025-03-04T10:11:12+00:00\",\"updated\":\"2025-03-04T10:11:12+00:00\",\"non_transactional\":true}],\
         \"links\":[],\"total_count\":2}",
        "hard_bounce unsubscribe",
    ),
    (
        "Mandrill rejects",
        "email,reason,detail,last_event_at,created_at,expires_at,expired,subaccount,sender\n\
         a@x.example,hard-bounce,550 unknown,2024-03-01,2024-03-01,2024-04-01,no,,\n\
         b@x.example,soft-bounce,421 later,2024-03-01,2024-03-01,2024-04-01,no,,\n\
         c@x.example,unsub,,2024-03-01,2024-03-01,,no,,\nd@x.example,custom,asked us,2024-03-01,2024-03-01,,no,,\n",
        "hard_bounce skipped unsubscribe manual",
    ),
    ("Mailgun bounces", "address,code,error,created_at\na@x.example,550,No such mailbox,x\n", "hard_bounce"),
    ("Mailgun complaints", "address,created_at\na@x.example,\"Mon, 06 May 2024 18:11:58 UTC\"\n", "complaint"),
    (
        "Mailgun unsubscribes",
        "address,tags,created_at\na@x.example,*,\"Mon, 06 May 2024 18:11:58 UTC\"\n",
        "unsubscribe",
    ),
    (
        "a table of customers with Mailgun's columns",
        "Name,Address,Tags,Created At,E-Mail\nAnn,1 Elm Street,vip,2024-01-02,a@x.example\n",
        "reason_needed",
    ),
    (
        "Postmark",
        "EmailAddress,SuppressionReason,Origin,CreatedAt\na@x.example,HardBounce,Recipient,2019-12-17\n\
         b@x.example,ManualSuppression,Recipient,2019-12-17\nc@x.example,SpamComplaint,Recipient,2019-12-17\n",
        "hard_bounce unsubscribe complaint",
    ),
    (
        "Amazon SES",
        "EmailAddress,Reason,LastUpdateTime\na@x.example,BOUNCE,2020-04-10\nb@x.example,COMPLAINT,\n",
        "hard_bounce complaint",
    ),
    (
        "Amazon SES as its command line lists it",
        "{\"SuppressedDestinationSummaries\":[{\"EmailAddress\":\"a@x.example\",\"Reason\":\"COMPLAINT\",\"LastUpdateTime\":\"2020-04-10T21:03:05Z\"}]}",
        "complaint",
    ),
    (
        "Mailchimp unsubscribed",
        "Email Address,First Name,MEMBER_RATING,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON\n\
         a@x.example,Ann,2,2024-03-01 09:00:00,Spring,NORMAL\nb@x.example,Ben,2,2024-03-01 09:00:00,Spring,SPAM\nc@x.example,Cid,2,,,\n",
        "unsubscribe complaint unclear",
    ),
    ("Mailchimp cleaned", "Email Address,First Name,CLEAN_TIME\na@x.example,Ann,2024-03-01 09:00:00\n", "hard_bounce"),
    ("Mailchimp subscribed", "Email Address,OPTIN_TIME,LEID,EUID\na@x.example,2024-03-01,1,y\n", "skipped"),
    (
        "Brevo contacts",
        "EMAIL;FIRSTNAME;BLOCKLISTED\na@x.example;Anna;yes\nb@x.example;Ben;no\nc@x.example;Cid;\n",
        "manual skipped skipped",
    ),
    (
        "Brevo API",
        "{\"contacts\":[{\"email\":\"a@x.example\",\"id\":1,\"emailBlacklisted\":true,\"smsBlacklisted\":false},{\"email\":\"b@x.example\",\"id\":2,\"emailBlacklisted\":false,\"smsBlacklisted\":true}]}",
        "unsubscribe skipped",
    ),
    (
        "MailerLite",
        "email,status,source,subscribed_at,unsubscribed_at,name\na@x.example,unsubscribed,api,2021-08-31,2022-01-02,A\n\
         b@x.example,active,api,2021-08-31,,B\nc@x.example,junk,api,2021-08-31,,C\nd@x.example,bounced,api,2021-08-31,,D\n",
        "unsubscribe skipped complaint hard_bounce",
    ),
    (
        "MailerLite, as its page exports it",
        "Subscriber,Name,Sent,Opened,Clicked,Subscribed,Unsubscribed\n\
         a@x.example,A,10,3,1,2021-08-31 10:00:00,2022-01-02 10:00:00\nb@x.example,B,12,9,4,2021-08-31 10:00:00,\n",
        "unsubscribe skipped",
    ),
    (
        "Klaviyo's suppressions beside consent",
        "Email,First Name,Email Marketing Consent,Email Suppressions,SMS Marketing Consent\n\
         a@x.example,A,SUBSCRIBED,['HARD_BOUNCE'],SUBSCRIBED\nb@x.example,B,UNSUBSCRIBED,,SUBSCRIBED\n\
         c@x.example,C,NEVER_SUBSCRIBED,[],UNSUBSCRIBED\nd@x.example,D,SUBSCRIBED,USER_SUPPRESSED,\n",
        "hard_bounce unsubscribe skipped manual",
    ),
    ("Klaviyo suppressed", "Email,Suppression Reason,Timestamp\na@x.example,INVALID_EMAIL,2023-02-21\n", "invalid"),
    (
        "ActiveCampaign",
        "{\"contacts\":[{\"cdate\":\"2022-08-02\",\"email\":\"a@x.example\",\"bounced_hard\":\"1\",\"bounced_soft\":\"0\",\"bounced_date\":\"2022-08-03\"},\
         {\"cdate\":\"2022-08-02\",\"email\":\"b@x.example\",\"bounced_hard\":\"0\",\"bounced_soft\":\"2\",\"bounced_date\":\"2022-08-03\"}]}",
        "hard_bounce skipped",
    ),
    (
        "Kit",
        "{\"subscribers\":[{\"id\":1,\"first_name\":\"Ann\",\"email_address\":\"a@x.example\",\"state\":\"cancelled\",\"created_at\":\"2023-02-17\"},\
         {\"id\":2,\"first_name\":\"Ben\",\"email_address\":\"b@x.example\",\"state\":\"active\",\"created_at\":\"2023-02-17\"}]}",
        "unsubscribe skipped",
    ),
    (
        "a log of bounces",
        "recipient,smtp code,diagnostic\na@x.example,550,no such user\nb@x.example,421,later\n",
        "hard_bounce skipped",
    ),
    (
        "reasons of mail servers",
        "email,reason\na@x.example,550 5.1.1 unknown\nb@x.example,421 later\n",
        "hard_bounce skipped",
    ),
];
