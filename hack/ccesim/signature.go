// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	algorithm       = "SDK-HMAC-SHA256"
	dateForm        = "20060102T150405Z"
	unsignedPayload = "UNSIGNED-PAYLOAD"
)

var errSkew = errors.New("X-Sdk-Date is more than 15 minutes from the time of the server")

// signature is what an Authorization header says (API Request Signing Guide).
type signature struct {
	accessKey     string
	signedHeaders []string
	value         string
}

// parseAuthorization reads
// "SDK-HMAC-SHA256 Access=…, SignedHeaders=a;b, Signature=…".
func parseAuthorization(header string) (signature, error) {
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return signature{}, fmt.Errorf("the algorithm is not %s", algorithm)
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if _, twice := fields[name]; twice || value == "" {
			return signature{}, errors.New("the Authorization header is malformed")
		}
		fields[name] = value
	}
	sig := signature{fields["Access"], strings.Split(fields["SignedHeaders"], ";"), fields["Signature"]}
	switch {
	case len(fields) != 3 || sig.accessKey == "" || fields["SignedHeaders"] == "" || sig.value == "":
		return signature{}, errors.New("the Authorization header needs exactly Access, SignedHeaders and Signature")
	case !slices.IsSorted(sig.signedHeaders):
		return signature{}, errors.New("SignedHeaders are not sorted")
	case !slices.Contains(sig.signedHeaders, "x-sdk-date"):
		return signature{}, errors.New("x-sdk-date is not signed")
	}
	return sig, nil
}

// verify recomputes the signature with the secret key. Its errors hold nothing
// that was computed.
func (sig signature) verify(r *http.Request, body []byte, secret string, now time.Time) error {
	date := r.Header.Get("X-Sdk-Date")
	signed, err := time.Parse(dateForm, date)
	if err != nil {
		return errors.New("X-Sdk-Date does not have the form YYYYMMDDTHHMMSSZ")
	}
	if skew := now.Sub(signed); skew > maxSkew || skew < -maxSkew {
		return errSkew
	}
	canonical, err := canonicalRequest(r, body, sig.signedHeaders)
	if err != nil {
		return err
	}
	hashed := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(algorithm + "\n" + date + "\n" + hex.EncodeToString(hashed[:])))
	if !hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(sig.value)) {
		return errors.New("the signature does not match")
	}
	return nil
}

func canonicalRequest(r *http.Request, body []byte, signedHeaders []string) (string, error) {
	query, err := canonicalQuery(r.URL.RawQuery)
	if err != nil {
		return "", err
	}
	headers, err := canonicalHeaders(r, signedHeaders)
	if err != nil {
		return "", err
	}
	payload, err := payloadHash(r, body, signedHeaders)
	if err != nil {
		return "", err
	}
	return strings.Join([]string{r.Method, canonicalPath(r.URL.Path), query, headers, strings.Join(signedHeaders, ";"), payload}, "\n"), nil
}

// canonicalPath always ends in a slash, also where the path on the wire does
// not.
func canonicalPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = escape(segment)
	}
	return strings.TrimSuffix(strings.Join(segments, "/"), "/") + "/"
}

func canonicalQuery(raw string) (string, error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return "", errors.New("the query is malformed")
	}
	var pairs []string
	for _, name := range sortedKeys(query) {
		values := query[name]
		slices.Sort(values)
		for _, value := range values {
			pairs = append(pairs, escape(name)+"="+escape(value))
		}
	}
	return strings.Join(pairs, "&"), nil
}

func canonicalHeaders(r *http.Request, names []string) (string, error) {
	var b strings.Builder
	for _, name := range names {
		value := r.Header.Get(name)
		if name == "host" { // net/http moves it out of the headers
			value = r.Host
		}
		if value == "" {
			return "", fmt.Errorf("the signed header %q is absent", name)
		}
		b.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	return b.String(), nil
}

// payloadHash is the body's hash. A client may state it in a header, which then
// has to be true and signed.
func payloadHash(r *http.Request, body []byte, signedHeaders []string) (string, error) {
	sum := sha256.Sum256(body)
	actual := hex.EncodeToString(sum[:])
	stated := r.Header.Get("X-Sdk-Content-Sha256")
	switch {
	case stated == "":
		return actual, nil
	case !slices.Contains(signedHeaders, "x-sdk-content-sha256"):
		return "", errors.New("X-Sdk-Content-Sha256 is not signed")
	case stated != actual && stated != unsignedPayload:
		return "", errors.New("X-Sdk-Content-Sha256 is not the hash of the body")
	}
	return stated, nil
}

// escape percent-encodes all but the unreserved characters of RFC 3986, which
// is neither of the two escapings of net/url.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("-_.~", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func sortedKeys(query url.Values) []string {
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
