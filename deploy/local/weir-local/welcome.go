package main

import "fmt"

const welcome = `
  Weir is up.

  Console     %s
              log in as %s with password %s
  Demo key    %s

  Send a request:

    curl %s/v1/chat/completions \
      -H "Authorization: Bearer %s" -H 'Content-Type: application/json' \
      -d '{"model":"demo","messages":[{"role":"user","content":"What does a weir do?"}]}'

  and see it in the console, or with SQL:

    source %s
    curl $WEIR_URL/weir.admin.v1.ReportService/RunQuery \
      -H "Authorization: Bearer $WEIR_TOKEN" -H 'Content-Type: application/json' \
      -d '{"sql":"SELECT * FROM requests ORDER BY started_at DESC LIMIT 5"}'

  Logs        %s
  Outages     go run ./deploy/local stop|start|status <part>
  Stop        Ctrl-C (data is kept; make clean-local removes it)

`

// welcome ends the start with all that a newcomer needs.
func (st *stack) welcome() {
	agent := st.url("AGENT")
	fmt.Fprintf(st.screen, welcome, st.url("CONTROL"), st.demo.email, st.demo.password, st.demo.key,
		agent, st.demo.key, st.path("env"), st.path("log"))
}
