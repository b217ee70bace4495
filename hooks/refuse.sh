    echo "portcullis: the binary is not there, so the @HOOK@ hook refuses" >&2
    echo "portcullis: install it (\`sh install.sh\` or \`cargo install --locked portcullis\`), then \`portcullis hook install\`" >&2
    exit 3
