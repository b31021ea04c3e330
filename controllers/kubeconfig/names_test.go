// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"strings"
	"testing"
)

func TestServersHaveOneSpelling(t *testing.T) {
	for name, test := range map[string]struct{ raw, want string }{
		"an IPv4 address":           {"https://192.168.0.64:5443", "https://192.168.0.64:5443"},
		"a host name":               {"https://api.prod-1.example.com:5443", "https://api.prod-1.example.com:5443"},
		"a single label":            {"https://localhost:6443", "https://localhost:6443"},
		"an underscore":             {"https://my_api.example.com:443", "https://my_api.example.com:443"},
		"capitals are lowered":      {"https://API.Example.COM:5443", "https://api.example.com:5443"},
		"a slash goes":              {"https://1.2.3.4:5443/", "https://1.2.3.4:5443"},
		"an IPv6 address":           {"https://[2001:db8::1]:5443", "https://[2001:db8::1]:5443"},
		"a long IPv6 address":       {"https://[2001:0DB8:0:0::1]:5443", "https://[2001:db8::1]:5443"},
		"no scheme":                 {"1.2.3.4:5443", ""},
		"http":                      {"http://1.2.3.4:5443", ""},
		"no port":                   {"https://1.2.3.4", ""},
		"an empty port":             {"https://1.2.3.4:", ""},
		"port 0":                    {"https://1.2.3.4:0", ""},
		"port 65536":                {"https://1.2.3.4:65536", ""},
		"a port with a zero before": {"https://1.2.3.4:05443", ""},
		"a port with a sign":        {"https://1.2.3.4:+443", ""},
		"a path":                    {"https://1.2.3.4:5443/api", ""},
		"two slashes":               {"https://1.2.3.4:5443//", ""},
		"user information":          {"https://admin:pw@1.2.3.4:5443", ""},
		"a query":                   {"https://1.2.3.4:5443?a=b", ""},
		"an empty fragment":         {"https://1.2.3.4:5443#", ""},
		"an escaped zero byte":      {"https://a%00b:5443", ""},
		"a zero byte":               {"https://a\x00b:5443", ""},
		"a line break":              {"https://a\n:5443", ""},
		"a space":                   {"https://a b:5443", ""},
		"another alphabet":          {"https://münchen:5443", ""},
		"no host":                   {"https://:5443", ""},
		"an empty label":            {"https://a..b:5443", ""},
		"a final dot":               {"https://a.b.:5443", ""},
		"a hyphen at an edge":       {"https://-a.b:5443", ""},
		"a label of 64":             {"https://" + strings.Repeat("a", 64) + ":5443", ""},
		"a host of 254":             {"https://" + strings.Repeat("a.", 126) + "bb:5443", ""},
		"a broken IPv4 address":     {"https://1.2.3.400:5443", ""},
		"a number":                  {"https://16909060:5443", ""},
		"a wildcard":                {"https://*.example.com:5443", ""},
		"an IPv6 zone":              {"https://[fe80::1%25eth0]:5443", ""},
		"IPv6 without brackets":     {"https://2001:db8::1:5443", ""},
		"IPv4 in brackets":          {"https://[1.2.3.4]:5443", ""},
		"a name in brackets":        {"https://[example.com]:5443", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := normalServer(test.raw)
			if ok != (test.want != "") {
				t.Fatalf("normalServer(%q) is %v", test.raw, ok)
			}
			if ok && got != test.want {
				t.Errorf("normalServer(%q) = %q, want %q", test.raw, got, test.want)
			}
		})
	}
}

func TestNamesAreLettersAndDigitsWithSomeSignsBetween(t *testing.T) {
	for name, want := range map[string]bool{
		"internal": true, "customSAN-0": true, "fleet-prod.1": true, "arn:aws/x@y_z": true, "a": true, "1": true,
		"": false, "-a": false, "a-": false, "a b": false, "a\nb": false, "a\x00b": false, "ä": false, "a,b": false, "a'b": false,
		strings.Repeat("n", 128): true, strings.Repeat("n", 129): false,
	} {
		if got := validName(name, maxContextName); got != want {
			t.Errorf("validName(%q) = %v, want %v", name, got, want)
		}
	}
}
