//! Newsletter tools, shops and address books: people, some of whom get no mail.

use super::Shape;

pub(super) const SHAPES: &[Shape] = &[
    (
        "HubSpot",
        "Email,First Name,Unsubscribed from all email,Email hard bounce reason\n\
         ok1@x.example,A,false,\nok2@x.example,B,,\nleft@x.example,C,true,\ngone@x.example,D,,UNKNOWN_USER\n",
        "skipped skipped unsubscribe hard_bounce",
    ),
    (
        "HubSpot, one kind of mail",
        "Record ID,Email,Opted out of email: Marketing Information,Lifecycle Stage\n1,a@x.example,true,Customer\n2,b@x.example,,Lead\n",
        "unsubscribe skipped",
    ),
    (
        "Ghost members",
        "id,email,name,note,subscribed_to_emails,complimentary_plan,created_at,deleted_at,labels\n\
         1,a@x.example,A,,true,false,2022-01-01,,\n2,b@x.example,B,,false,false,2022-01-01,,\n",
        "skipped unsubscribe",
    ),
    (
        "MailPoet",
        "Email,First name,Global status,List status\na@x.example,A,Subscribed,subscribed\nb@x.example,B,Unsubscribed,subscribed\n\
         c@x.example,C,Unconfirmed,\nd@x.example,D,Bounced,\ne@x.example,E,Inactive,\n",
        "skipped unsubscribe skipped hard_bounce skipped",
    ),
    (
        "Salesforce contacts",
        "Id,Email,FirstName,HasOptedOutOfEmail,EmailBouncedReason,EmailBouncedDate\n\
         1,a@x.example,A,0,,\n2,b@x.example,B,1,,\n3,c@x.example,C,0,550 unknown,2024-01-02\n",
        "skipped unsubscribe hard_bounce",
    ),
    (
        "Zoho CRM",
        "Contact Id,First Name,Email,Email Opt Out\n1,A,a@x.example,false\n2,B,b@x.example,true\n",
        "skipped unsubscribe",
    ),
    (
        "Dynamics",
        "Full Name,emailaddress1,donotemail,donotbulkemail\nA,a@x.example,Yes,No\nB,b@x.example,No,No\n",
        "manual skipped",
    ),
    (
        "Shopify customers",
        "First Name,Last Name,Email,Accepts Email Marketing,City,Accepts SMS Marketing,Total Orders\n\
         A,L,a@x.example,yes,Ulm,no,3\nB,L,b@x.example,no,Bonn,no,0\nC,L,c@x.example,,Bonn,no,0\n",
        "skipped unsubscribe skipped",
    ),
    (
        "PrestaShop customers",
        "id_customer,firstname,email,newsletter,optin,active\n1,A,a@x.example,1,0,1\n2,B,b@x.example,0,0,1\n",
        "skipped unsubscribe",
    ),
    (
        "WooCommerce orders",
        "Order Number,Order Status,First Name (Billing),Email (Billing),Order Total\n1,cancelled,A,a@x.example,10.00\n2,completed,B,b@x.example,9.00\n",
        "reason_needed",
    ),
    (
        "Stripe customers",
        "id,Description,Email,Name,Created (UTC),Delinquent,Status,Total Spend\ncus_1,,a@x.example,A,2022-01-01 10:00,false,active,10\ncus_2,,b@x.example,B,2022-01-01 10:00,false,canceled,9\n",
        "skipped unclear",
    ),
    (
        "Memberful members",
        "Full Name,Email,Plan,Active,Created at,Expiration date\nA,a@x.example,Gold,yes,2022-01-01,2023-01-01\n",
        "reason_needed",
    ),
    (
        "Patreon",
        "Name,Email,Patron Status,Follows You,Lifetime Amount\nA,a@x.example,Active patron,No,10.00\nB,b@x.example,Former patron,No,9\n",
        "reason_needed",
    ),
    (
        "Eventbrite attendees",
        "Order #,Order Date,First Name,Last Name,Email,Attendee Status\n1,2024-01-02,A,L,a@x.example,Attending\n",
        "reason_needed",
    ),
    (
        "Google contacts",
        "Name,Given Name,Group Membership,E-mail 1 - Type,E-mail 1 - Value,E-mail 2 - Value\n\
         Ann Lind,Ann,* myContacts,Home,a@x.example,ann@work.example\n",
        "reason_needed",
    ),
    (
        "Outlook contacts",
        "First Name,Last Name,E-mail Address,E-mail Type,Mobile Phone\nA,L,a@x.example,SMTP,1\n",
        "reason_needed",
    ),
    (
        "Substack",
        "email,active_subscription,expiry,plan,email_disabled,created_at\n\
         a@x.example,false,,other,false,2022-01-01\nb@x.example,false,,other,true,2022-01-01\n",
        "skipped manual",
    ),
    (
        "Beehiiv",
        "Email,Status,Created,Tier\na@x.example,active,2022-01-01,free\nb@x.example,inactive,2022-01-01,free\nc@x.example,unsubscribed,2022-01-01,free\n",
        "skipped skipped unsubscribe",
    ),
    (
        "Campaign Monitor",
        "Email Address,Name,State,Date Joined\na@x.example,A,Active,2022-01-01\nb@x.example,B,Unsubscribed,2022-01-01\nc@x.example,C,Bounced,2022-01-01\nd@x.example,D,Deleted,2022-01-01\n",
        "skipped unsubscribe hard_bounce unclear",
    ),
    (
        "Constant Contact",
        "Email address,First name,Email status,Email permission status,Email lists\n\
         a@x.example,A,Active,Express,General\nb@x.example,B,Unsubscribed,Unsubscribed,General\nc@x.example,C,Active,Awaiting Confirmation,\n",
        "skipped unsubscribe skipped",
    ),
    (
        "Mailjet",
        "email,name,IsExcludedFromCampaigns,unsub,created\na@x.example,A,false,TRUE,x\nb@x.example,B,false,FALSE,x\n",
        "unsubscribe skipped",
    ),
    (
        "Drip",
        "email,status,first_name,lifetime_value\na@x.example,active,A,1\nb@x.example,unsubscribed,B,2\nc@x.example,removed,C,3\nd@x.example,undeliverable,D,3\n",
        "skipped unsubscribe unsubscribe invalid",
    ),
    (
        "Sendy",
        "Name,Email,Status,Last activity\nA,a@x.example,Subscribed,1d\nB,b@x.example,Unsubscribed,2d\nC,c@x.example,Marked as spam,2d\nD,d@x.example,Soft bounced,1d\n",
        "skipped unsubscribe complaint skipped",
    ),
    (
        "words of all sorts",
        "email,status\na@x.example,unsub\nb@x.example,Unsub\nc@x.example,hard fail\nd@x.example,Removed\n",
        "unsubscribe unsubscribe hard_bounce unsubscribe",
    ),
    (
        "words that nobody knows",
        "email,status\na@x.example,Engaged\nb@x.example,regular\nc@x.example,Awaiting Confirmation\n",
        "unclear unclear unclear",
    ),
    (
        "words that nobody knows, of people",
        "email,name,status\na@x.example,A,Engaged\nb@x.example,B,regular\n",
        "reason_needed",
    ),
    (
        "some words that are known",
        "email,name,status\na@x.example,A,Engaged\nb@x.example,B,\nc@x.example,C,Unsubscribed\nd@x.example,D,Subscribed\n",
        "unclear unclear unsubscribe skipped",
    ),
    (
        "empty means no",
        "email,unsubscribed\na@x.example,\nb@x.example,true\nc@x.example,false\n",
        "skipped unsubscribe skipped",
    ),
    ("nobody has said anything", "email,unsubscribed\na@x.example,\nb@x.example,\n", "unclear unclear"),
    (
        "a column of dates",
        "email,name,unsubscribed_at\na@x.example,A,2024-01-02\nb@x.example,B,\n",
        "unsubscribe skipped",
    ),
    (
        "a status without its name",
        "email,name,mailing\na@x.example,A,Unsubscribed\nb@x.example,B,Subscribed\nc@x.example,C,Engaged\n",
        "unsubscribe skipped unclear",
    ),
    (
        "another channel",
        "email,name,sms status\na@x.example,A,unsubscribed\nb@x.example,B,subscribed\n",
        "reason_needed",
    ),
    (
        "phone numbers that are not valid",
        "email,phone,phone valid\na@x.example,1,invalid\nb@x.example,2,valid\n",
        "reason_needed",
    ),
];
