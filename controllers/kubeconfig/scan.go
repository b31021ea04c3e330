// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"encoding/base64"
)

// The text of clientcmd.Write around what we put in, in its order.
const (
	beforeCA          = "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: "
	beforeServer      = "\n    server: "
	beforeName        = "\n  name: "
	beforeCertificate = "\n  user:\n    client-certificate-data: "
	beforeKey         = "\n    client-key-data: "
)

// scanned is a document of ours, taken apart.
type scanned struct {
	server               string
	ca, certificate, key []byte
}

// scan takes a document apart that looks exactly as Render writes it today, without
// a YAML parser. It is false for every other, which Read then decodes.
//
// It is here for the start of the operator, which reads 10,000 Secrets. Scanning
// takes 6 µs and the checks on certificate and key 50 µs (ECDSA) to 200 µs (RSA);
// decoding takes 160 µs for clientcmd.Load alone (200 µs for sigs.k8s.io/yaml into a
// struct), and with what makes it strict 0.5 to 0.9 ms. FuzzRead holds that scan never
// takes what the decoder would refuse or read otherwise.
func scan(data []byte) (scanned, bool) {
	if len(data) > maxDocumentBytes {
		return scanned{}, false
	}
	rest, ok1 := bytes.CutPrefix(data, []byte(beforeCA))
	ca, rest, ok2 := bytes.Cut(rest, []byte(beforeServer))
	server, rest, ok3 := bytes.Cut(rest, []byte(beforeName))
	name, rest, ok4 := bytes.Cut(rest, []byte("\n"))
	if !ok1 || !ok2 || !ok3 || !ok4 || !plainName(string(name)) {
		return scanned{}, false
	}
	if normal, ok := normalServer(string(server)); !ok || normal != string(server) {
		return scanned{}, false
	}
	rest, ok1 = bytes.CutPrefix(rest, []byte(afterName(string(name))))
	certificate, rest, ok2 := bytes.Cut(rest, []byte(beforeKey))
	key, ok3 := bytes.CutSuffix(rest, []byte("\n"))
	if !ok1 || !ok2 || !ok3 {
		return scanned{}, false
	}
	text := scanned{server: string(server)}
	text.ca, ok1 = plainData(ca)
	text.certificate, ok2 = plainData(certificate)
	text.key, ok3 = plainData(key)
	return text, ok1 && ok2 && ok3
}

// afterName is what stands between the first mention of the name and the certificate.
func afterName(name string) string {
	return "contexts:\n- context:\n    cluster: " + name + "\n    user: " + name +
		beforeName + name + "\ncurrent-context: " + name + "\nkind: Config\nusers:\n- name: " + name +
		beforeCertificate
}

// plainName tells whether YAML reads a bare name as the text that it is. All words
// with another meaning (true, null, 1e3, 2026-01-01) begin with something else than
// a letter or have at most five characters.
func plainName(name string) bool {
	return validName(name, maxEntryName) && len(name) > 5 && (name[0] < '0' || name[0] > '9')
}

// plainData decodes the base64 of a PEM block. Its beginning keeps it from being a
// number, and it has no line breaks, which the decoder would skip.
func plainData(text []byte) ([]byte, bool) {
	if !bytes.HasPrefix(text, []byte("LS0tLS1CRUdJTi")) || bytes.ContainsAny(text, "\r\n") {
		return nil, false
	}
	data := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(data, text)
	return data[:n], err == nil
}

// write is the inverse of scan: what clientcmd.Write makes of a usual credential, without its way through JSON and YAML, which
// takes twenty times as long. It is false for every other. TestWhatIsWrittenIsWhatClientcmdWrites holds that no byte differs.
func write(name string, c Credential) ([]byte, bool) {
	normal, ok := normalServer(c.Server)
	if !ok || normal != c.Server || !plainName(name) || c.TLSServerName != "" || c.ProxyURL != "" || c.Insecure {
		return nil, false
	}
	parts := [][]byte{c.CAPEM, c.CertPEM, c.KeyPEM.Reveal()}
	size := len(beforeCA) + len(beforeServer) + len(beforeName) + len(beforeKey) + len(c.Server) + 2*len("\n") + len(name) + len(afterName(name))
	for _, part := range parts {
		if !bytes.HasPrefix(part, []byte("-----BEGIN ")) { // as data that YAML takes for text, and for nothing else
			return nil, false
		}
		size += base64.StdEncoding.EncodedLen(len(part))
	}
	text := make([]byte, 0, size)
	for i, before := range []string{
		beforeCA, beforeServer + c.Server + beforeName + name + "\n" + afterName(name), beforeKey,
	} {
		text = append(text, before...)
		text = base64.StdEncoding.AppendEncode(text, parts[i])
	}
	return append(text, '\n'), true
}
