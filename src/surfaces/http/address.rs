use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use poem::{Addr, Request};

/// The client's address: the peer's, or, where the peer is a trusted proxy, the nearest one in `X-Forwarded-For` that
/// is not. What an untrusted peer writes there is not believed.
pub(super) fn of(request: &Request, trusted: &[IpNet]) -> IpAddr {
    let peer = match request.remote_addr().0 {
        Addr::SocketAddr(address) => address.ip().to_canonical(),
        _ => Ipv4Addr::LOCALHOST.into(),
    };
    let forwarded = request.headers().get_all("x-forwarded-for").into_iter().filter_map(|value| value.to_str().ok());
    nearest(peer, &forwarded.collect::<Vec<_>>().join(","), trusted)
}

fn nearest(peer: IpAddr, forwarded: &str, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer;
    for hop in forwarded.rsplit(',') {
        if !is_trusted(&client) {
            break;
        }
        let hop = hop.trim();
        let bare = hop.parse().or_else(|_| hop.parse::<std::net::SocketAddr>().map(|address| address.ip()));
        let Ok(address) = bare else { break };
        client = address.to_canonical();
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        for (peer, forwarded, client) in [
            ("203.0.113.9", "1.1.1.1", "203.0.113.9"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "1.1.1.1", "1.1.1.1"),
            ("10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2", "1.1.1.1"),
            ("10.0.0.1", "nonsense", "10.0.0.1"),
            ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ] {
            assert_eq!(nearest(ip(peer), forwarded, &trusted), ip(client), "{peer} {forwarded}");
        }
    }
}
