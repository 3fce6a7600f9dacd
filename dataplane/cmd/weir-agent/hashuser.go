package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/weirhq/weir/dataplane"
)

type hashUser struct {
	FingerprintKeyFile string `env:"WEIR_FINGERPRINT_KEY_FILE" placeholder:"FILE" help:"File that the agents share."`
	GatewayKeyFile     string `env:"WEIR_GATEWAY_KEY_FILE" placeholder:"FILE" help:"File with the gateway's private keys, where the agents share no other."`
	StateDir           string `env:"WEIR_STATE_DIR" placeholder:"DIR" help:"State folder of an agent, where they share none at all."`

	User string `arg:"" optional:"" help:"What applications send as X-Weir-User; by default a line of standard input, which no list of processes shows."`
}

func (h *hashUser) Run(in io.Reader, out io.Writer) error {
	if h.User == "" {
		line, err := bufio.NewReader(in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the end user: %w", err)
		}
		h.User = strings.TrimRight(line, "\r\n")
	}
	keys := dataplane.HashKeys{FingerprintKeyFile: h.FingerprintKeyFile, GatewayKeyFile: h.GatewayKeyFile, StateDir: h.StateDir}
	hashes, err := keys.HashesOf(h.User)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, strings.Join(hashes, "\n"))
	return err
}
