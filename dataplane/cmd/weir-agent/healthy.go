package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// answerWithin bounds how long the running agent may take to answer.
const answerWithin = 5 * time.Second

// healthy is for containers, which have no other program to ask with.
type healthy struct {
	AdminListen string `env:"WEIR_ADMIN_LISTEN" default:"127.0.0.1:8091" help:"Private address of the agent that runs here."`
	Ready       bool   `help:"Ask whether it can serve requests, too: it has a policy, and room to record usage."`
}

func (h *healthy) Run(out io.Writer) error {
	path := "/healthz"
	if h.Ready {
		path = "/readyz"
	}
	client := http.Client{Timeout: answerWithin, Transport: &http.Transport{}} // no proxy
	answer, err := client.Get("http://" + h.AdminListen + path)
	if err != nil {
		return fmt.Errorf("the agent does not answer: %w", err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("the agent's answer broke off: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the agent says: %s", strings.TrimSpace(string(said)))
	}
	_, err = out.Write(said)
	return err
}
