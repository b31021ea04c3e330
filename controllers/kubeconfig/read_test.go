// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const (
	notExact = "the kubeconfig is not exactly one server, one CA, one certificate and one key, all inline"
	aliases  = "the kubeconfig uses YAML aliases (or the character *), which are not accepted"
	notOne   = "the kubeconfig is neither JSON nor YAML of kind Config, or names an entry twice"
)

func rendered(t testing.TB, c Credential) string {
	t.Helper()
	data, err := Render("fleet-prod-1", c)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestReadTakesAnotherLayoutOfTheSame(t *testing.T) {
	c := credential(t, testLeaf())
	data := rendered(t, c)
	inJSON, err := yaml.YAMLToJSON([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"as it is written":   data,
		"JSON":               string(inJSON),
		"a comment":          "# restored\n" + data,
		"an opening marker":  "---\n" + data,
		"quotes":             strings.ReplaceAll(data, "fleet-prod-1", `"fleet-prod-1"`),
		"another name":       strings.ReplaceAll(data, "fleet-prod-1", "p"),
		"Windows line ends":  strings.ReplaceAll(data, "\n", "\r\n"),
		"without a last end": strings.TrimSuffix(data, "\n"),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Read([]byte(data))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(c, got) { // a difference would show the key
				t.Error("it differs")
			}
		})
	}
}

func TestReadTakesAnExpiredCredential(t *testing.T) {
	c := credential(t, testLeaf())
	old := testCA().issue(newKey(), func(x *x509.Certificate) { x.NotBefore, x.NotAfter = now.Add(-48*time.Hour), now.Add(-24*time.Hour) })
	identity, err := NewIdentity(old.certPEM(), old.keyPEM())
	if err != nil {
		t.Fatal(err)
	}
	c.Identity = identity
	roundTrip(t, "fleet-prod-1", c)
}

func TestReadRefusesEverythingElse(t *testing.T) {
	c := credential(t, testLeaf())
	data := rendered(t, c)
	encoded := func(text []byte) string { return base64.StdEncoding.EncodeToString(text) }
	replace := func(old, new string) string {
		if !strings.Contains(data, old) {
			t.Fatalf("%q is not in the document", old)
		}
		return strings.Replace(data, old, new, 1)
	}
	user := func(field string) string { return replace("  user:\n", "  user:\n    "+field+"\n") }
	cluster := func(field string) string { return replace("- cluster:\n", "- cluster:\n    "+field+"\n") }
	server := func(url string) string { return replace(c.Server, url) }
	swapped := strings.NewReplacer("client-certificate-data", "client-key-data", "client-key-data", "client-certificate-data").Replace(data)
	for name, test := range map[string]struct{ data, want string }{
		"nothing":                      {"", "the kubeconfig has no cluster and user with the name of its current context"},
		"text":                         {"hello", notOne},
		"more than 1 MiB":              {data + strings.Repeat("#", maxDocumentBytes), "the kubeconfig is larger than 1024 KiB"},
		"a token":                      {user("token: abc"), notExact},
		"a token file":                 {user("tokenFile: /etc/passwd"), notExact},
		"a user name":                  {user("username: admin"), notExact},
		"a plugin":                     {user("exec: {command: sh, apiVersion: client.authentication.k8s.io/v1}"), notExact},
		"an auth provider":             {user("auth-provider: {name: oidc}"), notExact},
		"impersonation":                {user("as: system:admin"), notExact},
		"impersonated groups":          {user("as-groups: [system:masters]"), notExact},
		"a file for the certificate":   {user("client-certificate: /tmp/x"), notExact},
		"a file for the key":           {user("client-key: /tmp/x"), notExact},
		"a file for the CA":            {cluster("certificate-authority: /tmp/x"), notExact},
		"a proxy with a password":      {cluster("proxy-url: https://a:b@evil.example:1"), notExact},
		"a proxy without a port":       {cluster("proxy-url: https://evil.example"), notExact},
		"a server name with a port":    {cluster("tls-server-name: evil:1"), notExact},
		"no verification":              {cluster("insecure-skip-tls-verify: true"), notExact},
		"said verification":            {cluster("insecure-skip-tls-verify: false"), notExact},
		"extensions":                   {cluster("extensions: [{name: x, extension: {}}]"), notExact},
		"a field nobody knows":         {cluster("x: y"), notExact},
		"a field in other letters":     {cluster("Server: https://evil.example:1"), notExact},
		"a namespace":                  {replace("- context:\n", "- context:\n    namespace: x\n"), notExact},
		"preferences":                  {data + "preferences: {}\n", notExact},
		"a second document":            {data + "---\nkind: Secret\n", notExact},
		"a field twice":                {cluster("server: https://evil.example:1"), notExact},
		"a second cluster":             {replace("contexts:\n", "- cluster: {server: 'https://a:1'}\n  name: b\ncontexts:\n"), notExact},
		"another current context":      {replace("current-context: fleet-prod-1", "current-context: other"), "the kubeconfig has no cluster and user with the name of its current context"},
		"a context of another name":    {replace("\n  name: fleet-prod-1\ncurrent", "\n  name: other-name\ncurrent"), notExact},
		"a merge key":                  {replace("  user:\n", "  user:\n    <<: {token: abc}\n"), notExact},
		"an alias":                     {"x: &x 1\n" + data + "y: *x\n", aliases},
		"an anchor":                    {"x: &x 1\n" + data, notExact},
		"a plain server":               {server("http://192.168.0.64:5443"), notExact},
		"a server with a slash":        {server(c.Server + "/"), notExact},
		"a server with a user":         {server("https://a@192.168.0.64:5443"), notExact},
		"a name with a space":          {strings.ReplaceAll(data, "fleet-prod-1", "fleet prod"), notExact},
		"a name that is a number":      {strings.ReplaceAll(data, "fleet-prod-1", "1234567"), notOne},
		"a name that is a truth value": {strings.ReplaceAll(data, "fleet-prod-1", "true"), notOne},
		"data with a line break":       {replace(encoded(c.CAPEM), encoded(c.CAPEM)[:76]+"\n"+encoded(c.CAPEM)[76:]), notOne},
		"data with a bare return":      {replace(encoded(c.CAPEM), encoded(c.CAPEM)[:76]+"\r"+encoded(c.CAPEM)[76:]), notOne},
		"data broken over lines":       {replace(encoded(c.CAPEM), "|\n      "+encoded(c.CAPEM)[:76]+"\n      "+encoded(c.CAPEM)[76:]), notExact},
		"no CA":                        {replace("    certificate-authority-data: "+encoded(c.CAPEM)+"\n", ""), notExact},
		"a CA that is none":            {replace(encoded(c.CAPEM), encoded([]byte("-----BEGIN x"))), "the CA holds no certificate in PEM form"},
		"a CA with text":               {replace(encoded(c.CAPEM), encoded(append([]byte(dump), c.CAPEM...))), "the CA holds more than PEM blocks of its kind"},
		"a key with text":              {replace(encoded(c.KeyPEM.Reveal()), encoded(append([]byte(dump), c.KeyPEM.Reveal()...))), "the certificate or the key holds more than PEM blocks of its kind"},
		"the key of another":           {replace(encoded(c.KeyPEM.Reveal()), encoded(testCA().keyPEM())), "the client key does not belong to the client certificate"},
		"certificate and key swapped":  {swapped, "the client certificate holds no certificate in PEM form"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Read([]byte(test.data))
			if diff := cmp.Diff(test.want, reason(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !reflect.DeepEqual(got, Credential{}) {
				t.Error("a credential besides the error")
			}
		})
	}
}

// TestScanServesWhatRenderWrites fails when a new client-go lays documents out
// otherwise: Read goes on working then, and the start of the operator gets slower.
func TestScanServesWhatRenderWrites(t *testing.T) {
	for _, server := range []string{"https://192.168.0.64:5443", "https://[2001:db8::1]:5443", "https://api.example.com:443"} {
		c := credential(t, testLeaf())
		c.Server = server
		text, ok := scan([]byte(rendered(t, c)))
		if !ok || text.server != server || !bytes.Equal(text.key, c.KeyPEM.Reveal()) {
			t.Errorf("scan does not take what Render writes for %s", server)
		}
	}
}

func TestPlainDataIsOneSpellingOfPEM(t *testing.T) {
	for text, want := range map[string]bool{
		"LS0tLS1CRUdJTiA=":   true,
		"LS0tLS1CRUdJTiB=":   false, // bits that no byte is made of
		"LS0tLS1CRUdJTiA":    false,
		"LS0tLS1CRUdJTi\nA=": false,
		"LS0tLS1CRUdJTi\rA=": false,
		"MTIzNDU2":           false,
		"":                   false,
	} {
		if _, ok := plainData([]byte(text)); ok != want {
			t.Errorf("plainData(%q) is %v", text, ok)
		}
	}
}
