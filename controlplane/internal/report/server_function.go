package report

import "strings"

// serverFunctions reach beyond the tables, and ClickHouse asks for no grant. file
// is the worst: outside of a server proper (clickhouse-local, the embedded engine)
// it reads every file of the machine. Those of the last two lines tell where blocks of rows
// end, and what place a text has in a dictionary that rows of others share: how many of
// either lie between. Names are lower case, aliases are names of their own.
var serverFunctions = wordSet(`
	file filecluster url urlcluster s3 s3cluster hdfs remote remotesecure cluster clusterallreplicas
	executable mysql postgresql sqlite mongodb redis odbc jdbc azureblobstorage gcs iceberg deltalake hudi
	input dictionary merge mergetreeindex mergetreeprojection mergetreetextindex mergetreeanalyzeindexes viewifpermitted
	dictget dictgetordefault dictgetornull dicthas catboostevaluate
	filesystemavailable filesystemcapacity filesystemunreserved
	getserversetting getserverport getmergetreesetting getmacro getoskernelversion
	hostname fqdn tcpport serveruuid servertimezone displayname uptime revision buildid showcertificate
	queryid initialqueryid currentqueryid initialquerystarttime connectionid blocknumber blockserializedsize
	getclienthttpheader getmaxtablenamelengthfordatabase logtrace addresstoline addresstolinewithinlines addresstosymbol
	generateserialid zookeepersessionuptime getthreadid sleep sleepeachrow
	fullhostname query_id initial_query_id current_query_id initial_query_start_time connection_id tid
	blocksize rownumberinblock randconstant nowinblock nowinblock64 neighbor runningaccumulate runningconcurrency runningdifference runningdifferencestartingwithfirstvalue
	lowcardinalityindices lowcardinalitykeys dumpcolumnstructure
`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(words) {
		set[word] = true
	}
	return set
}
