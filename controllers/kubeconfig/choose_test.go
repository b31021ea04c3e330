// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChoose(t *testing.T) {
	var (
		internal    = Context{Name: "internal", Verified: true}
		external    = Context{Name: "external"}
		externalTLS = Context{Name: "externalTLSVerify", Verified: true}
		san         = Context{Name: "customSAN-0", Verified: true}
		eip         = []Context{internal, external, externalTLS}
	)
	for name, test := range map[string]struct {
		contexts []Context
		wish     Wish
		want     string
		access   Access
	}{
		"an empty wish is Auto, which takes the external address": {eip, Wish{}, "externalTLSVerify", External},
		"Auto takes the internal one where there is no other":     {[]Context{san, internal}, Wish{Access: Auto}, "internal", Internal},
		"Auto never takes the insecure one":                       {[]Context{external, internal}, Wish{Access: Auto}, "internal", Internal},
		"Auto stays with the internal one after an EIP is bound":  {eip, Wish{Access: Auto, Kept: Internal}, "internal", Internal},
		"Auto stays with the external one":                        {eip, Wish{Access: Auto, Kept: External}, "externalTLSVerify", External},
		"Auto moves when the external one has gone":               {[]Context{internal}, Wish{Access: Auto, Kept: External}, "internal", Internal},
		"Auto moves when the internal one has gone":               {[]Context{externalTLS}, Wish{Access: Auto, Kept: Internal}, "externalTLSVerify", External},
		"Auto after a named context begins anew":                  {eip, Wish{Access: Auto, Kept: Custom}, "externalTLSVerify", External},
		"Internal":                                                {eip, Wish{Access: Internal}, "internal", Internal},
		"External skips the insecure one":                         {eip, Wish{Access: External}, "externalTLSVerify", External},
		"what was kept does not count for External":               {eip, Wish{Access: External, Kept: Internal}, "externalTLSVerify", External},
		"External takes the first of several":                     {[]Context{{Name: "external-b", Verified: true}, externalTLS}, Wish{Access: External}, "external-b", External},
		"a named context":                                         {append(eip, san), Wish{Context: "customSAN-0"}, "customSAN-0", Custom},
		"allowed, External takes the insecure one":                {[]Context{internal, external}, Wish{Access: External, AllowInsecure: true}, "external", External},
		"allowed, External takes the verified one before":         {eip, Wish{Access: External, AllowInsecure: true}, "externalTLSVerify", External},
		"allowed, Auto takes a verified one before":               {[]Context{external, internal}, Wish{AllowInsecure: true}, "internal", Internal},
		"allowed, a named context may be insecure":                {eip, Wish{Context: "external", AllowInsecure: true}, "external", External},
		"a named context overrides access":                        {eip, Wish{Access: External, Context: "internal"}, "internal", Internal},
	} {
		t.Run(name, func(t *testing.T) {
			got, access, err := Choose(test.contexts, test.wish)
			if err != nil {
				t.Fatal(err)
			}
			if got.Name != test.want || access != test.access {
				t.Errorf("got %s as %s, want %s as %s", got.Name, access, test.want, test.access)
			}
		})
	}
}

func TestChooseSaysWhatToWrite(t *testing.T) {
	var (
		internal    = Context{Name: "internal", Verified: true}
		external    = Context{Name: "external"}
		externalTLS = Context{Name: "externalTLSVerify", Verified: true}
		san         = Context{Name: "customSAN-0", Verified: true}
		insecureSAN = Context{Name: "customSAN-1"}
		many        []Context
	)
	for i := range 10 {
		many = append(many, Context{Name: fmt.Sprint("customSAN-", i), Verified: true})
	}
	for name, test := range map[string]struct {
		contexts []Context
		wish     Wish
		kind     ChoiceKind
		message  string
	}{
		"External without an EIP": {
			[]Context{internal, san}, Wish{Access: External}, ContextNotFound,
			"the cloud offers no address for spec.endpoint.access External; it offers internal, customSAN-0; " +
				"write in spec.endpoint one of access: Internal, context: customSAN-0, or bind an EIP to the cluster",
		},
		"External with the insecure one only": {
			[]Context{internal, external}, Wish{Access: External}, InsecureEndpoint,
			"for spec.endpoint.access External the cloud offers only addresses without TLS verification, which are not published; " +
				"it offers internal, external (without TLS verification); write in spec.endpoint one of access: Internal" +
				"; only with spec.endpoint.allowInsecureTLS and the operator's --allow-insecure-tls, or a grant of the account that says the same, are they published, without a CA",
		},
		"Internal is not there": {
			[]Context{externalTLS}, Wish{Access: Internal}, ContextNotFound,
			"the cloud offers no address for spec.endpoint.access Internal; it offers externalTLSVerify; write in spec.endpoint one of access: External",
		},
		"Auto with the insecure one only": {
			[]Context{external}, Wish{}, InsecureEndpoint,
			"for spec.endpoint.access Auto the cloud offers only addresses without TLS verification, which are not published; " +
				"it offers external (without TLS verification); no spec.endpoint helps before the cluster has an address with TLS verification" +
				"; only with spec.endpoint.allowInsecureTLS and the operator's --allow-insecure-tls, or a grant of the account that says the same, are they published, without a CA",
		},
		"Auto with custom contexts only": {
			[]Context{san, insecureSAN}, Wish{Access: Auto}, ContextNotFound,
			"the cloud offers no address for spec.endpoint.access Auto; it offers customSAN-0, customSAN-1 (without TLS verification); " +
				"write in spec.endpoint one of context: customSAN-0",
		},
		"a named context that is not there": {
			[]Context{internal, external}, Wish{Context: "customSAN-7"}, ContextNotFound,
			`the cloud does not offer the context "customSAN-7" of spec.endpoint.context; it offers internal, external (without TLS verification); ` +
				"write in spec.endpoint one of context: internal, or leave context out",
		},
		"a named context without verification": {
			[]Context{external, externalTLS}, Wish{Context: "external"}, InsecureEndpoint,
			`the context "external" of spec.endpoint.context comes without TLS verification and is not published; ` +
				"it offers external (without TLS verification), externalTLSVerify; write in spec.endpoint one of context: externalTLSVerify, or leave context out" +
				"; only with spec.endpoint.allowInsecureTLS and the operator's --allow-insecure-tls, or a grant of the account that says the same, are they published, without a CA",
		},
		"nothing at all": {
			nil, Wish{Context: "a\nb"}, ContextNotFound,
			`the cloud does not offer the context "a\nb" of spec.endpoint.context; it offers no context; ` +
				"no spec.endpoint helps before the cluster has an address with TLS verification",
		},
		"more than a message should list": {
			many, Wish{}, ContextNotFound,
			"the cloud offers no address for spec.endpoint.access Auto; it offers " + sans("") + " and 2 more; write in spec.endpoint one of " + sans("context: ") + " and 2 more",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Choose(test.contexts, test.wish)
			got, ok := errors.AsType[*ChoiceError](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(&ChoiceError{test.kind, test.message}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func sans(prefix string) string {
	var names []string
	for i := range maxListed {
		names = append(names, fmt.Sprint(prefix, "customSAN-", i))
	}
	return strings.Join(names, ", ")
}
