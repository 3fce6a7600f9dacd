package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// answerWithin bounds how long the running process may take to answer.
const answerWithin = 5 * time.Second

// healthy is for containers, which have no other program to ask with.
type healthy struct {
	Listen string `env:"WEIR_LISTEN" default:"127.0.0.1:8080" help:"Address of the control plane that runs here."`
}

func (h *healthy) Run(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.Listen+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("WEIR_LISTEN: %w", err)
	}
	client := http.Client{Timeout: answerWithin, Transport: &http.Transport{}} // no proxy
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the control plane does not answer: %w", err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("the control plane's answer broke off: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the control plane says: %s", strings.TrimSpace(string(said)))
	}
	_, err = os.Stdout.Write(said)
	return err
}
