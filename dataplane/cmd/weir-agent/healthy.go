package main

import (
	"io"
	"net/http"
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
	return ask(out, http.MethodGet, "http://"+h.AdminListen+path, http.NoBody)
}
