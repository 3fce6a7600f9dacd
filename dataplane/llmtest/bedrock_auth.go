package llmtest

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AWSKey is what requests to Bedrock are signed with. Its zero value signs nothing: then
// only a Bedrock API key is let in, which is Options.APIKey.
type AWSKey struct {
	AccessKeyID, SecretAccessKey string
	// SessionToken of credentials that are for a time; empty: they are not.
	SessionToken string
	// Region that requests must be signed for; empty: any.
	Region string
}

const (
	amzDate   = "20060102T150405Z"
	maxSkew   = 5 * time.Minute
	algorithm = "AWS4-HMAC-SHA256"
)

// signature is an Authorization header taken apart.
// Format: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
type signature struct {
	keyID, date, region, service string
	headers                      []string
	hex                          string
}

func parseSignature(authorization string) (signature, bool) {
	rest, ok := strings.CutPrefix(authorization, algorithm+" ")
	if !ok {
		return signature{}, false
	}
	var s signature
	for _, part := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			if len(scope) != 5 || scope[4] != "aws4_request" {
				return signature{}, false
			}
			s.keyID, s.date, s.region, s.service = scope[0], scope[1], scope[2], scope[3]
		case "SignedHeaders":
			s.headers = strings.Split(value, ";")
		case "Signature":
			s.hex = value
		}
	}
	return s, s.keyID != "" && s.hex != "" && slices.IsSorted(s.headers)
}

// unsigned refuses what is not signed with the key, in AWS's words.
func (k AWSKey) unsigned(r *http.Request, body []byte, service string, now time.Time) *bedrockError {
	s, ok := parseSignature(r.Header.Get("Authorization"))
	at, err := time.Parse(amzDate, r.Header.Get("X-Amz-Date"))
	switch {
	case !ok || err != nil || !slices.Contains(s.headers, "host") || !slices.Contains(s.headers, "x-amz-date"):
		return &bedrockError{http.StatusForbidden, "IncompleteSignatureException", "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters, and an 'X-Amz-Date'."}
	case k.AccessKeyID == "" || s.keyID != k.AccessKeyID || r.Header.Get("X-Amz-Security-Token") != k.SessionToken:
		return &bedrockError{http.StatusForbidden, "UnrecognizedClientException", "The security token included in the request is invalid."}
	case s.service != service || k.Region != "" && s.region != k.Region || s.date != at.Format("20060102"):
		return &bedrockError{http.StatusForbidden, "InvalidSignatureException", "Credential should be scoped to a valid region and to the correct service: '" + service + "'."}
	case now.Sub(at).Abs() > maxSkew:
		return &bedrockError{http.StatusForbidden, "InvalidSignatureException", "Signature expired: " + r.Header.Get("X-Amz-Date") + " is not within 5 min. of " + now.UTC().Format(amzDate)}
	case k.SessionToken != "" && !slices.Contains(s.headers, "x-amz-security-token"),
		subtle.ConstantTimeCompare([]byte(s.hex), []byte(s.of(r, body, k.SecretAccessKey))) != 1:
		return &bedrockError{http.StatusForbidden, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}
	}
	return nil
}

// of is the signature that a request should have.
func (s *signature) of(r *http.Request, body []byte, secret string) string {
	scope := strings.Join([]string{s.date, s.region, s.service, "aws4_request"}, "/")
	canonical := sha256.Sum256([]byte(s.canonical(r, body)))
	toSign := strings.Join([]string{algorithm, r.Header.Get("X-Amz-Date"), scope, hex.EncodeToString(canonical[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, "aws4_request", toSign} {
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

// canonical is a request in the form that is signed. Its path, encoded as it was sent, is
// encoded once more.
func (s *signature) canonical(r *http.Request, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%s\n", r.Method, encoded(r.URL.EscapedPath(), "/"), canonicalQuery(r.URL.Query()))
	for _, name := range s.headers {
		values := slices.Clone(r.Header.Values(name))
		switch name {
		case "host":
			values = []string{r.Host}
		case "content-length":
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		}
		for i, value := range values {
			values[i] = strings.Join(strings.Fields(value), " ")
		}
		fmt.Fprintf(&b, "%s:%s\n", name, strings.Join(values, ","))
	}
	fmt.Fprintf(&b, "\n%s\n%x", strings.Join(s.headers, ";"), sha256.Sum256(body))
	return b.String()
}

func canonicalQuery(query url.Values) string {
	var pairs []string
	for name, values := range query {
		for _, value := range values {
			pairs = append(pairs, encoded(name, "")+"="+encoded(value, ""))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// encoded escapes all bytes that are not unreserved (RFC 3986) or left.
func encoded(text, left string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.~"+left, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
