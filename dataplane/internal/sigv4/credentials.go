package sigv4

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Credentials are an AWS access key, for ever or for a time, or a Bedrock API key. They
// print as "[redacted]".
type Credentials struct {
	key    aws.Credentials
	signer *v4.Signer
	bearer string
}

// forms are the two in which an access key is written: as whoever types one would, and as
// AWS's credential_process puts it out, for helpers that write it to a file.
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
type forms struct {
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
	SessionToken    string `json:"session_token"`

	Version           int
	ProcessKeyID      string `json:"AccessKeyId"`
	ProcessSecret     string `json:"SecretAccessKey"`
	ProcessToken      string `json:"SessionToken"`
	ProcessExpiration string `json:"Expiration"`
}

var (
	errEmpty = errors.New("it is empty")
	errForm  = errors.New(`it is neither a JSON object with "access_key_id" and "secret_access_key" (or as AWS's credential_process writes them) nor a Bedrock API key`)
	errHalf  = errors.New(`it is an access key's id without its secret: a JSON object with "access_key_id" and "secret_access_key" is wanted`)
)

// Parse reads credentials. Errors tell nothing of the text.
func Parse(secret string) (*Credentials, error) {
	secret = strings.TrimSpace(secret)
	switch {
	case secret == "":
		return nil, errEmpty
	case secret[0] == '{':
		return parseKey(secret)
	case strings.HasPrefix(secret, "AKIA"), strings.HasPrefix(secret, "ASIA"):
		return nil, errHalf
	case !visible(secret):
		return nil, errForm
	}
	return &Credentials{bearer: secret}, nil
}

func parseKey(secret string) (*Credentials, error) {
	var f forms
	if json.Unmarshal([]byte(secret), &f) != nil { // the error might quote the text
		return nil, errors.New("it is not a JSON object of strings")
	}
	if f.Version > 1 {
		return nil, fmt.Errorf("its form is version %d of AWS's credential_process, and 1 is known", f.Version)
	}
	key, err := f.key()
	if err != nil {
		return nil, err
	}
	return &Credentials{key: key, signer: v4.NewSigner()}, nil
}

func (f *forms) key() (aws.Credentials, error) {
	if f.ProcessKeyID != "" || f.ProcessSecret != "" {
		if f.AccessKeyID != "" || f.SecretAccessKey != "" || f.SessionToken != "" {
			return aws.Credentials{}, errors.New("it has an access key in two forms")
		}
		f.AccessKeyID, f.SecretAccessKey, f.SessionToken = f.ProcessKeyID, f.ProcessSecret, f.ProcessToken
	}
	key := aws.Credentials{AccessKeyID: f.AccessKeyID, SecretAccessKey: f.SecretAccessKey, SessionToken: f.SessionToken}
	switch {
	case key.AccessKeyID == "":
		return aws.Credentials{}, errors.New(`it has no "access_key_id"`)
	case key.SecretAccessKey == "":
		return aws.Credentials{}, errors.New(`it has no "secret_access_key"`)
	case !visible(key.AccessKeyID) || !visible(key.SecretAccessKey) || !visible(key.SessionToken):
		return aws.Credentials{}, errors.New("its strings have characters that no access key has")
	}
	if f.ProcessExpiration != "" {
		expires, err := time.Parse(time.RFC3339, f.ProcessExpiration)
		if err != nil {
			return aws.Credentials{}, errors.New(`its "Expiration" is not a time as ISO 8601 writes it`)
		}
		key.CanExpire, key.Expires = true, expires
	}
	return key, nil
}

// visible tells whether all characters are of ASCII and to be seen.
func visible(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c >= 0x7f })
}

const redacted = "[redacted]"

// String, as all that print, hides them, whether they stand behind a pointer or not.
func (Credentials) String() string { return redacted }

// GoString is for %#v.
func (Credentials) GoString() string { return redacted }

// LogValue is for slog.
func (Credentials) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON writes a string.
func (Credentials) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
