package main

import (
	"encoding/base64"
	"fmt"
	"io"

	"github.com/weirhq/weir/dataplane/internal/gatewaykey"
	"github.com/weirhq/weir/proto/contract/seal"
)

type gatewayKey struct {
	New  newGatewayKey  `cmd:"" help:"Make a key in a new file that only its owner can read."`
	Show showGatewayKey `cmd:"" help:"Print the public halves of a file's keys, and their fingerprints."`
}

type newGatewayKey struct {
	Out string `required:"" placeholder:"FILE" help:"File to make; one that is there is never written over."`
}

func (n *newGatewayKey) Run(out io.Writer) error {
	public, err := gatewaykey.Create(n.Out)
	if err != nil {
		return err
	}
	if err := printKey(out, public); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `
%s has the private half: whoever can read it opens every credential that is sealed for this key.

What to do next:
 1. Put the file where every agent of the gateway, and nobody else, can read it, and name it in WEIR_GATEWAY_KEY_FILE.
 2. Give the public key to Weir: GatewayService/SetGatewayKey with the gateway's id and {"publicKey": "%s"}.
 3. Compare the fingerprint in the answer with this one, then seal: weir-agent seal --help.
`, n.Out, text(public))
	return err
}

type showGatewayKey struct {
	File string `arg:"" help:"File of weir-agent gateway-key new."`
}

func (s *showGatewayKey) Run(out io.Writer) error {
	keys, err := gatewaykey.Read(s.File)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := printKey(out, key.Public()); err != nil {
			return err
		}
	}
	return nil
}

func printKey(out io.Writer, public seal.PublicKey) error {
	_, err := fmt.Fprintf(out, "public key   %s\nfingerprint  %s\n", text(public), public.Fingerprint())
	return err
}

// text of a public key is that of bytes in the API's JSON.
func text(public seal.PublicKey) string { return base64.StdEncoding.EncodeToString(public.Bytes()) }
