// A TLS peer over Java's JSSE, for the interop matrix (own-program.ts says how it is talked to).

import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;

public final class Peer {
  /** The connection that standard input is for. */
  private static SSLSocket current;

  public static void main(String[] words) throws Exception {
    Map<String, String> wish = new HashMap<>();
    for (String word : words) {
      String[] parts = word.split("=", 2);
      wish.put(parts[0], parts.length < 2 ? "" : parts[1]);
    }
    configure(wish);
    SSLContext context = contextFor(wish);
    Thread input = new Thread(Peer::obey);
    input.setDaemon(true);
    input.start();
    if (wish.containsKey("client")) client(context, wish);
    else server(context, wish);
  }

  private static void client(SSLContext context, Map<String, String> wish) throws Exception {
    if (wish.containsKey("resume")) {
      SSLSocket first = dialled(context, wish);
      // Tickets come before the byte.
      first.getInputStream().read();
      first.close();
    }
    long begun = System.currentTimeMillis();
    SSLSocket socket = dialled(context, wish);
    say(socket, wish, begun);
    pump(socket);
  }

  private static void server(SSLContext context, Map<String, String> wish) throws Exception {
    SSLServerSocket listener =
        (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 5, InetAddress.getLoopbackAddress());
    listener.setSSLParameters(parameters(listener.getSSLParameters(), wish));
    System.out.println("port " + listener.getLocalPort());
    while (true) {
      SSLSocket socket = (SSLSocket) listener.accept();
      try {
        long begun = System.currentTimeMillis();
        socket.startHandshake();
        say(socket, wish, begun);
        pump(socket);
      } catch (IOException error) {
        System.out.println("failed: " + error);
        socket.close();
      }
    }
  }

  /** What JSSE reads of its properties when it is first used. */
  private static void configure(Map<String, String> wish) {
    if (wish.containsKey("groups")) System.setProperty("jdk.tls.namedGroups", wish.get("groups"));
    if (wish.containsKey("scheme")) {
      // The second one is the authority's.
      System.setProperty("jdk.tls.client.SignatureSchemes", wish.get("scheme") + ",ecdsa_secp256r1_sha256");
    }
  }

  private static SSLContext contextFor(Map<String, String> wish) throws Exception {
    CertificateFactory certificates = CertificateFactory.getInstance("X.509");
    KeyStore trusted = emptyStore();
    try (InputStream file = new FileInputStream(wish.get("ca"))) {
      trusted.setCertificateEntry("authority", certificates.generateCertificate(file));
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(trusted);
    KeyStore own = emptyStore();
    if (wish.containsKey("cert")) {
      try (InputStream file = new FileInputStream(wish.get("cert"))) {
        Certificate[] chain = certificates.generateCertificates(file).toArray(new Certificate[0]);
        own.setKeyEntry("own", privateKey(wish.get("key"), chain[0]), new char[0], chain);
      }
    }
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(own, new char[0]);
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    X509ExtendedKeyManager manager = (X509ExtendedKeyManager) keys.getKeyManagers()[0];
    context.init(new KeyManager[] {new Announcing(manager)}, trust.getTrustManagers(), null);
    return context;
  }

  private static KeyStore emptyStore() throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }

  private static PrivateKey privateKey(String path, Certificate certificate) throws Exception {
    String pem = Files.readString(Path.of(path)).replaceAll("-----[^-]*-----|\\s", "");
    String algorithm = certificate.getPublicKey().getAlgorithm();
    return KeyFactory.getInstance(algorithm)
        .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
  }

  private static SSLSocket dialled(SSLContext context, Map<String, String> wish) throws Exception {
    int port = Integer.parseInt(wish.get("port"));
    String name = wish.get("servername");
    // Sessions are found again by this name and port.
    SSLSocket socket =
        (SSLSocket)
            context
                .getSocketFactory()
                .createSocket(new Socket(InetAddress.getLoopbackAddress(), port), name, port, true);
    SSLParameters parameters = parameters(socket.getSSLParameters(), wish);
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    parameters.setServerNames(List.of(new SNIHostName(name)));
    socket.setSSLParameters(parameters);
    socket.startHandshake();
    return socket;
  }

  private static SSLParameters parameters(SSLParameters parameters, Map<String, String> wish) {
    parameters.setProtocols(new String[] {"TLSv1.3"});
    if (wish.containsKey("suite")) parameters.setCipherSuites(new String[] {wish.get("suite")});
    if (wish.containsKey("alpn")) parameters.setApplicationProtocols(wish.get("alpn").split(","));
    if (wish.containsKey("requestCert")) parameters.setNeedClientAuth(true);
    if (wish.containsKey("fragment")) {
      // Of records as a whole: with their header, their content's type and their tag.
      parameters.setMaximumPacketSize(Integer.parseInt(wish.get("fragment")) + 5 + 1 + 16);
    }
    return parameters;
  }

  private static void say(SSLSocket socket, Map<String, String> wish, long begun) throws Exception {
    ExtendedSSLSession session = (ExtendedSSLSession) socket.getSession();
    StringBuilder said = new StringBuilder("connected suite=" + session.getCipherSuite());
    String protocol = socket.getApplicationProtocol();
    if (protocol != null && !protocol.isEmpty()) said.append(" alpn=").append(protocol);
    // A session is older than the connection that resumes it.
    said.append(" resumed=").append(session.getCreationTime() < begun ? 1 : 0);
    try {
      said.append(" verified=").append(session.getPeerCertificates().length > 0 ? 1 : 0);
    } catch (SSLPeerUnverifiedException none) {
      said.append(" verified=0");
    }
    if (!wish.containsKey("client")) {
      for (SNIServerName name : session.getRequestedServerNames()) {
        said.append(" servername=").append(new String(name.getEncoded()));
      }
    }
    said.append(" stapled=").append(wish.containsKey("client") && !session.getStatusResponses().isEmpty() ? 1 : 0);
    if (wish.containsKey("exporter")) {
      said.append(" exported=").append(HexFormat.of().formatHex(exported(session, wish.get("exporter"))));
    }
    synchronized (Peer.class) {
      current = socket;
      System.out.println(said);
      Peer.class.notifyAll();
    }
  }

  /** Since Java 25; this file is for 17 too. */
  private static byte[] exported(ExtendedSSLSession session, String label) throws Exception {
    return (byte[])
        ExtendedSSLSession.class
            .getMethod("exportKeyingMaterialData", String.class, byte[].class, int.class)
            .invoke(session, label, null, 32);
  }

  private static void pump(SSLSocket socket) throws IOException {
    byte[] bytes = new byte[65536];
    InputStream in = socket.getInputStream();
    for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
      System.out.write(bytes, 0, count);
      System.out.flush();
    }
    socket.close();
    synchronized (Peer.class) {
      current = null;
    }
  }

  /** Passes standard input on. */
  private static void obey() {
    byte[] bytes = new byte[65536];
    try {
      for (int count = System.in.read(bytes); count >= 0; count = System.in.read(bytes)) {
        SSLSocket socket = connection();
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        for (int index = 0; index < count; index++) {
          if (bytes[index] < 0) data.write(bytes[index]);
          // A handshake after the handshake is an update of the keys, in TLS 1.3.
          else if (bytes[index] == 'K') socket.startHandshake();
          else if (bytes[index] == 'q') socket.shutdownOutput();
        }
        if (data.size() > 0) socket.getOutputStream().write(data.toByteArray());
      }
    } catch (IOException | InterruptedException error) {
      System.out.println("failed: " + error);
    }
  }

  private static synchronized SSLSocket connection() throws InterruptedException {
    while (current == null) Peer.class.wait();
    return current;
  }

  /** Says whose certificates are wanted, and leaves everything to another. */
  private static final class Announcing extends X509ExtendedKeyManager {
    private final X509ExtendedKeyManager keys;

    Announcing(X509ExtendedKeyManager keys) {
      this.keys = keys;
    }

    @Override
    public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
      if (issuers != null) for (Principal issuer : issuers) System.out.println("authority " + issuer.getName());
      return keys.chooseClientAlias(types, issuers, socket);
    }

    @Override
    public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
      return keys.chooseServerAlias(type, issuers, socket);
    }

    @Override
    public String[] getClientAliases(String type, Principal[] issuers) {
      return keys.getClientAliases(type, issuers);
    }

    @Override
    public String[] getServerAliases(String type, Principal[] issuers) {
      return keys.getServerAliases(type, issuers);
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
      return keys.getCertificateChain(alias);
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
      return keys.getPrivateKey(alias);
    }
  }
}
