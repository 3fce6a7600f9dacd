package authn

import (
	"errors"
	"io"
	"net/http"
)

const (
	// maxAnswerBytes bounds every answer of the provider: descriptions, keys, tokens, userinfo.
	maxAnswerBytes = 512 << 10
	maxRedirects   = 3
)

// errFlood ends an answer that does not end by itself.
var errFlood = errors.New("the provider's answer is too long")

// providerClient is the client with bounds: answers end, and what holds a code or a secret is sent to one address only.
func providerClient(base *http.Client) *http.Client {
	transport := base.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &http.Client{Transport: boundedTransport{transport}, CheckRedirect: mayFollow, Timeout: base.Timeout}
}

// mayFollow lets a description or a key be somewhere else. A POST is not sent on: 307 and 308 repeat its body, which
// is the code with our secret (RFC 9700, section 4.12). Nor does anything leave https.
func mayFollow(next *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Method != http.MethodGet || len(via) > maxRedirects || (first.URL.Scheme == "https" && next.URL.Scheme != "https") {
		return http.ErrUseLastResponse
	}
	return nil
}

type boundedTransport struct{ http.RoundTripper }

func (t boundedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(request)
	if err == nil {
		response.Body = &boundedBody{ReadCloser: response.Body, left: maxAnswerBytes}
	}
	return response, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, errFlood
	}
	return n, err
}
