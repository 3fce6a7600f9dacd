package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/google/uuid"

	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/proto/contract/seal"
)

type sealing struct {
	Organization string `required:"" placeholder:"ID" help:"Organization's id."`
	Gateway      string `required:"" placeholder:"ID" help:"Id of the gateway whose agents may open it."`
	Provider     string `required:"" placeholder:"ID" help:"Id of the provider that it is for."`
	BaseURL      string `required:"" name:"base-url" placeholder:"URL" help:"The provider's base URL: agents send the credential to its origin only."`
	Version      int64  `required:"" name:"credential-version" placeholder:"N" help:"1 for the first, then higher than that of the one it replaces."`
	PublicKey    string `required:"" placeholder:"BASE64" help:"The gateway's public key, as GetGateway and weir-agent gateway-key show it."`
	Fingerprint  string `placeholder:"HEX" help:"What the key's fingerprint must be, from whoever made the key: then nobody in between can have put another in its place."`
}

// Run prints the sealed credential in base64, as the API's JSON has it.
func (s *sealing) Run(in io.Reader, out io.Writer) error {
	binding, bindingErr := s.binding()
	public, keyErr := s.recipient()
	if err := errors.Join(bindingErr, keyErr); err != nil {
		return err
	}
	given, err := io.ReadAll(io.LimitReader(in, 2*seal.MaxCredential))
	if err != nil {
		return fmt.Errorf("read the credential from standard input: %w", err)
	}
	credential, err := secret.Credential(string(given))
	if err != nil {
		return fmt.Errorf("the credential on standard input: %w", err)
	}
	sealed, err := seal.Seal(public, binding, []byte(credential))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, base64.StdEncoding.EncodeToString(sealed))
	return err
}

func (s *sealing) binding() (seal.Binding, error) {
	b := seal.Binding{Version: s.Version}
	var faults []error
	for _, id := range []struct {
		flag, given string
		to          *string
	}{
		{"organization", s.Organization, &b.OrganizationID}, {"gateway", s.Gateway, &b.GatewayID}, {"provider", s.Provider, &b.ProviderID},
	} {
		parsed, err := uuid.Parse(id.given)
		if err != nil {
			faults = append(faults, fmt.Errorf("--%s: %q is no id (UUID)", id.flag, id.given))
		}
		*id.to = parsed.String()
	}
	u, err := url.Parse(s.BaseURL)
	if err == nil {
		b.Origin, err = seal.Origin(u)
	}
	if err != nil {
		faults = append(faults, errors.New("--base-url: want the provider's base URL, http(s)://host/path"))
	}
	if s.Version < 1 {
		faults = append(faults, errors.New("--credential-version: want 1 or more"))
	}
	return b, errors.Join(faults...)
}

func (s *sealing) recipient() (seal.PublicKey, error) {
	raw, err := base64.StdEncoding.DecodeString(s.PublicKey)
	if err != nil {
		return seal.PublicKey{}, errors.New("--public-key: not base64")
	}
	public, err := seal.ParsePublicKey(raw)
	if err != nil {
		return public, fmt.Errorf("--public-key: %w", err)
	}
	if s.Fingerprint == "" {
		return public, nil
	}
	pinned, err := seal.ParseFingerprint(s.Fingerprint)
	if err != nil {
		return public, fmt.Errorf("--fingerprint: %w", err)
	}
	if pinned != public.Fingerprint() {
		return public, fmt.Errorf("the key's fingerprint is %s, not %s: nothing was sealed; ask whoever runs the gateway which key is theirs, "+
			"since somebody may have put another in its place", public.Fingerprint(), pinned)
	}
	return public, nil
}
