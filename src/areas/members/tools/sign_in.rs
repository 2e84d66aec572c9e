use poem_openapi::Object;

use crate::{
    areas::{
        members::MemberRef,
        sign_in::{self, LoginLink},
    },
    error::Result,
    gate::Cx,
    tools::{Access, Risk, Scope, Tool},
    values::SitePath,
};

/// Make a sign-in link
///
/// Gives the address of a page where the member signs in with the press of a button: once, and within 60 minutes. It is a
/// secret that is shown here and nowhere else: whoever has it can sign in as the member. Sends nothing; `members.invite`
/// mails one. Links that were made before go on working. Needs to know where the site's members go on
/// (`login_url_not_set`) and where Usher's pages are reached (`public_url_missing`). A dry run gives an address that does
/// not work.
#[derive(Object)]
pub struct CreateLoginLink {
    /// The member.
    member: MemberRef,
    /// Where at the site the member goes on, as a path: the token that the site gets repeats it. Without it the site
    /// decides.
    redirect: Option<SitePath>,
}

impl Tool for CreateLoginLink {
    const NAME: &'static str = "members.createLoginLink";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::High);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"},"redirect":"/videos/12"}"#;
    const GIVES_SECRET: bool = true;
    type Output = LoginLink;

    async fn run(self, cx: &mut Cx) -> Result<LoginLink> {
        sign_in::create(cx, &self.member, self.redirect.as_ref()).await.map(|(_, link)| link)
    }
}
