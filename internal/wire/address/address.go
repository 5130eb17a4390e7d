// Package address answers small questions about network addresses and URLs.
package address

import (
	"net"
	"net/netip"
	"strings"
)

// Host is what stands before the port in "192.0.2.1:4711" or "[2001:db8::1]:4711", and
// all of what has no port.
func Host(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return hostport
	}
	return host
}

// Client is whom a request from an address counts against: the address without its port,
// of IPv6 the network, for a client has as many addresses in it as it likes. What is no
// address is itself.
func Client(hostport string) string {
	host := Host(hostport)
	a, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		network, _ := a.Prefix(64) // 64 bits are within an address
		return network.String()
	}
	return a.String()
}

// IsLoopback reports whether a host, without a port, is this machine by its name or
// address.
func IsLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// WithoutScheme is a URL without "https://", which is how IAM and Cognito name the issuer
// of a token.
func WithoutScheme(url string) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return url
	}
	return rest
}
