package llmtest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestSignatureOfAWSsOwn is with a request that AWS publishes as an example, and the same
// one changed.
func TestSignatureOfAWSsOwn(t *testing.T) {
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	request := func() *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = "example.amazonaws.com"
		r.Header.Set("X-Amz-Date", "20150830T123600Z")
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "+
			"SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
		return r
	}
	key := AWSKey{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	for name, test := range map[string]struct {
		change func(*http.Request)
		now    time.Time
		want   string
	}{
		"as_published": {func(*http.Request) {}, at, ""},
		"other_path":   {func(r *http.Request) { r.URL.Path = "/a" }, at, "InvalidSignatureException"},
		"other_host":   {func(r *http.Request) { r.Host = "example.com" }, at, "InvalidSignatureException"},
		"other_query":  {func(r *http.Request) { r.URL.RawQuery = "a=b" }, at, "InvalidSignatureException"},
		"old":          {func(*http.Request) {}, at.Add(6 * time.Minute), "InvalidSignatureException"},
		"no_date":      {func(r *http.Request) { r.Header.Del("X-Amz-Date") }, at, "IncompleteSignatureException"},
		"not_a_scheme": {func(r *http.Request) { r.Header.Set("Authorization", "Basic x") }, at, "IncompleteSignatureException"},
		"unsigned_host": {func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "host;", "", 1))
		}, at, "IncompleteSignatureException"},
	} {
		t.Run(name, func(t *testing.T) {
			r := request()
			test.change(r)
			got := ""
			if refusal := key.unsigned(r, nil, "service", test.now); refusal != nil {
				got = refusal.Type
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
