//! A collector as OTLP has it: HTTP on loopback, messages in protobuf.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

/// What a collector has been sent.
#[derive(Default)]
pub struct Received {
    pub traces: Vec<ExportTraceServiceRequest>,
    pub metrics: Vec<ExportMetricsServiceRequest>,
    /// The headers of each request, their names in lower case.
    pub headers: Vec<BTreeMap<String, String>>,
}

/// Listens until the process ends.
pub fn collect() -> (SocketAddr, Arc<Mutex<Received>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, received) = (listener.local_addr().unwrap(), Arc::<Mutex<Received>>::default());
    let kept = Arc::clone(&received);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let received = Arc::clone(&received);
            std::thread::spawn(move || answer(connection, &received));
        }
    });
    (address, kept)
}

fn answer(connection: TcpStream, received: &Mutex<Received>) {
    let mut reader = BufReader::new(&connection);
    while let Some((path, headers, body)) = read(&mut reader) {
        let mut received = received.lock().unwrap();
        match &*path {
            "/v1/traces" => received.traces.push(ExportTraceServiceRequest::decode(&*body).unwrap()),
            "/v1/metrics" => received.metrics.push(ExportMetricsServiceRequest::decode(&*body).unwrap()),
            other => panic!("nothing is at {other}"),
        }
        received.headers.push(headers);
        let ok = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        (&connection).write_all(ok.as_bytes()).unwrap();
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<(String, BTreeMap<String, String>, Vec<u8>)> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some((path, headers, body))
}
