// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// The longest names: of a context, as spec.endpoint.context bounds it, and of a
// kubeconfig's entries, which default to <namespace>-<name>.
const (
	maxContextName = 128
	maxEntryName   = 512
)

// validName tells whether a name is letters and digits with -._:@/ between them, as
// spec.outputs[].clusterName asks for. Such a name needs no escaping in messages.
func validName(name string, longest int) bool {
	if name == "" || len(name) > longest {
		return false
	}
	if !alphanumeric(name[0]) || !alphanumeric(name[len(name)-1]) {
		return false
	}
	for i := range len(name) {
		if !alphanumeric(name[i]) && !strings.ContainsRune("-._:@/", rune(name[i])) {
			return false
		}
	}
	return true
}

func alphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// normalServer returns https://host:port in normal form: host in lower case or an
// IP address as netip writes it, port without leading zeros, no path. It is an
// allow-list and not url.Parse: user information, queries, fragments, escapes and
// zones have no place in it, and one server has one spelling (hubs know a cluster by it).
func normalServer(raw string) (string, bool) {
	rest, ok := strings.CutPrefix(raw, "https://")
	if !ok {
		return "", false
	}
	host, port, err := net.SplitHostPort(strings.TrimSuffix(rest, "/"))
	if err != nil || !validPort(port) {
		return "", false
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		host = strings.ToLower(host)
		return "https://" + host + ":" + port, validHost(host) && !strings.HasPrefix(rest, "[")
	}
	if address.Zone() != "" || address.Is6() != strings.HasPrefix(rest, "[") {
		return "", false
	}
	return "https://" + net.JoinHostPort(address.String(), port), true
}

func validPort(port string) bool {
	number, err := strconv.ParseUint(port, 10, 16)
	return err == nil && number > 0 && strconv.FormatUint(number, 10) == port
}

// validHost takes the names that crypto/x509 can verify, underscores included. A last
// label of digits only would be read as an IP address by some clients.
func validHost(host string) bool {
	if len(host) > 253 {
		return false
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}
