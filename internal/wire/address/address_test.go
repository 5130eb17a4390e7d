package address

import "testing"

func TestHost(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.1:4711": "192.0.2.1", "[2001:db8::1]:4711": "2001:db8::1", "192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::1", "@": "@", "": "",
	} {
		if got := Host(from); got != want {
			t.Errorf("Host(%q) = %q, want %q", from, got, want)
		}
	}
}

func TestClient(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.7:4711":              "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:4711": "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::1]:4711": "2001:db8:1:2::/64",
		"[::ffff:192.0.2.7]:4711":     "192.0.2.7",
		"[fe80::1%eth0]:4711":         "fe80::/64",
		"@":                           "@",
		"":                            "",
	} {
		if got := Client(from); got != want {
			t.Errorf("Client(%q) = %q, want %q", from, got, want)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "127.8.9.10": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "192.0.2.1": false, "localhost.example.com": false, "127.0.0.1:80": false, "2001:db8::1": false,
	} {
		if got := IsLoopback(host); got != want {
			t.Errorf("IsLoopback(%q) = %t, want %t", host, got, want)
		}
	}
}

func TestWithoutScheme(t *testing.T) {
	for url, want := range map[string]string{
		"https://id.example.com/tenant": "id.example.com/tenant", "id.example.com": "id.example.com", "": "",
	} {
		if got := WithoutScheme(url); got != want {
			t.Errorf("WithoutScheme(%q) = %q, want %q", url, got, want)
		}
	}
}
