// Package sigv4 authorises requests to Amazon Bedrock: it signs them with an AWS access key,
// by AWS's own signer, or gives them a Bedrock API key. It does not find credentials: they
// are one text, wherever it came from.
package sigv4

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// service is Bedrock's name in a signature.
const service = "bedrock"

// ErrExpired: the credentials were for a time that is over.
var ErrExpired = errors.New("the AWS credentials have expired")

// Authorize signs a request whose headers are complete and whose body has the digest. What
// goes on to change it, but for headers that are added, breaks the signature. The path is
// signed as r.URL.EscapedPath has it, which has to be how it is sent.
func (c *Credentials) Authorize(r *http.Request, bodySHA256 [32]byte, region string, now time.Time) error {
	if c.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+c.bearer)
		return nil
	}
	switch {
	case c.key.CanExpire && !now.Before(c.key.Expires):
		return fmt.Errorf("%w, at %s", ErrExpired, c.key.Expires.UTC().Format(time.RFC3339))
	case region == "":
		return errors.New("the AWS region to sign for is not known")
	}
	return c.signer.SignHTTP(r.Context(), c.key, r, hex.EncodeToString(bodySHA256[:]), service, region, now)
}

// Region that a host of Bedrock's is in, as its name tells
// (bedrock-runtime.eu-west-1.amazonaws.com, also of a VPC's endpoint); empty: it does not.
// Source: https://docs.aws.amazon.com/general/latest/gr/bedrock.html
func Region(host string) string {
	labels := strings.Split(strings.ToLower(host), ".")
	for i, label := range labels[:len(labels)-1] {
		if label == "bedrock-runtime" || label == "bedrock-runtime-fips" {
			if region := labels[i+1]; isRegion(region) {
				return region
			}
		}
	}
	return ""
}

// isRegion tells names such as us-gov-west-1.
func isRegion(name string) bool {
	words := strings.Split(name, "-")
	last := words[len(words)-1]
	return len(words) >= 3 && len(last) > 0 && len(last) <= 2 && strings.Trim(last, "0123456789") == ""
}
